# SPDX-License-Identifier: Apache-2.0
package WfMetrics;

# Figures in Prometheus' text format: read into a hash, and what promtool says of them.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use File::Temp ();

our @EXPORT_OK = qw(check_metrics histograms_of promtool read_metrics);

# read_metrics(TEXT): sample => number, the sample as it is written: 'dbsync_wf_x{a="b"}'. Dies of a
# line that is none, of a sample that is there twice, and of one whose family has no HELP and TYPE
# before it.
sub read_metrics
{
    my ($text) = @_;
    my (%value, %head);
    for my $line (split /\n/, $text) {
        if ($line =~ /^# (HELP|TYPE) (\w+) \S/) {
            die "$1 of $2 is there twice\n" if $head{$2}{$1}++;
            next;
        }
        my ($sample, $name, $number) = $line =~ /^((\w+)(?:\{[^{}]*\})?) (\d+(?:\.\d+)?)$/
            or die "no line of metrics: $line\n";
        my $family = $head{$name} // $head{$name =~ s/_(?:bucket|sum|count)$//r} // {};
        die "$name has no HELP or TYPE before it\n" if keys %{$family} != 2;
        die "$sample is there twice\n" if exists $value{$sample};
        $value{$sample} = $number;
    }
    return %value;
}

# histograms_of(SAMPLES): what is wrong with the histograms among them, as texts; and how many there
# are.
sub histograms_of
{
    my (%value) = @_;
    my ($count, @wrong, %buckets) = (0);
    for my $sample (keys %value) {
        my ($name, $labels, $le) = $sample =~ /^(\w+)_bucket\{(?:(.*),)?le="([^"]+)"\}$/ or next;
        my $key = $name . ' ' . ($labels // '');
        $buckets{$key}{$le eq '+Inf' ? 9**9**9 : $le} = $value{$sample};
    }
    for my $key (sort keys %buckets) {
        my ($name, $labels) = split / /, $key, 2;
        my $tail = $labels eq '' ? '' : "{$labels}";
        my ($last, $least, $before) = (0, 0, 0);
        $count++;
        for my $le (sort { $a <=> $b } keys %{$buckets{$key}}) {
            my $here = $buckets{$key}{$le} - $last;
            push @wrong, "$key: fewer in $le than before it" if $here < 0;
            $least += $here * $before;
            ($last, $before) = ($buckets{$key}{$le}, $le);
        }
        push @wrong, "$key: +Inf has $last, count $value{$name . '_count' . $tail}"
            if $last != $value{$name . '_count' . $tail};
        push @wrong, "$key: the sum is less than its buckets say"
            if $value{$name . '_sum' . $tail} + 1e-6 < $least;
    }
    return ($count, @wrong);
}

# Prometheus' own tool, which scripts/check has at hand; undef where there is none.
sub promtool
{
    my ($found) = grep { defined && -x } $ENV{WF_PROMTOOL},
        (map {"$_/promtool"} split /:/, $ENV{PATH}), '/var/cache/dbsync_wf/tools/promtool';
    return $found;
}

# What `promtool check metrics` has against a text; empty where nothing. Dies where it cannot be run.
sub check_metrics
{
    my ($text) = @_;
    my $file = File::Temp->new;
    print {$file} $text;
    close $file or die "$file: $!\n";
    my $tool = promtool() // die "there is no promtool\n";
    my $said = qx($tool check metrics <"$file" 2>&1);
    return $said . ($? == 0 ? '' : "it ended with $?\n");
}

1;

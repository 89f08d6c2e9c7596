# SPDX-License-Identifier: Apache-2.0
package WfCli::Run;

# A run, as people read it: all of it, or as a row of a table.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use JSON::PP ();
use Time::Local ();
use WfCli::Exit qw(COMPLETED ERROR INTERRUPTED);
use WfCli::Text qw(printable printable_lines);

our @EXPORT_OK = qw(counts exit_code is_ended run_cells run_heads run_text);

my %CODE = (completed => COMPLETED, error => ERROR, interrupted => INTERRUPTED);
my $json = JSON::PP->new->canonical->allow_nonref->max_depth(4096);

sub is_ended { return exists $CODE{$_[0]{status} // ''} }

# The exit code of a run that has ended.
sub exit_code { return $CODE{$_[0]{status}} }

# "1200 read, 1198 written, 2 failed", as far as there is any.
sub counts
{
    my ($run) = @_;
    my $records = $run->{records} // return '';
    return join ', ', map {"$records->{$_} $_"} grep { $records->{$_} } qw(read written failed);
}

# The whole run, line by line.
sub run_text
{
    my ($run) = @_;
    my $progress = $run->{progress};
    my $error = $run->{error};
    my @lines = (
        [pid         => $run->{pid}],
        [task        => _task($run)],
        [status      => $run->{status}],
        [user        => $run->{user}],
        [submitted   => $run->{submitTime}],
        [started     => $run->{startTime}],
        [interrupt   => $run->{interruptTime}],
        [ended       => $run->{completionTime}],
        [took        => _took($run)],
        [progress    => $progress && _progress($progress)],
        [records     => counts($run)],
        [error       => $error && _error($error)],
        [result      => _result($run)],
    );
    return join '', map { sprintf "%-11s  %s\n", @{$_} } map { [$_->[0], _indented($_->[1])] }
        grep { length($_->[1] // '') } @lines;
}

sub _task { return join '/', map { $_ // '?' } @{$_[0]}{qw(projectId taskId)} }

sub _progress
{
    my ($progress) = @_;
    my $text = ($progress->{done} // 0) . ' of ' . ($progress->{total} // 0);
    return length($progress->{action} // '') ? "$text, $progress->{action}" : $text;
}

sub _error
{
    my ($error) = @_;
    my $text = $error->{title} // $error->{type} // 'unknown';
    return length($error->{detail} // '') ? "$text: $error->{detail}" : $text;
}

# Text is shown as text, everything else as JSON.
sub _result
{
    my ($run) = @_;
    return if !exists $run->{result};
    my $result = $run->{result};
    my $text = defined $result && !ref $result ? $result : $json->encode($result);
    return $text =~ s/\n+\z//r . ($run->{resultCut} ? "\n(cut)" : '');
}

# Further lines stand under the first, so that none of them looks like a line of ours.
sub _indented
{
    my ($text) = @_;
    return printable_lines($text) =~ s/\n/"\n" . ' ' x 13/ger;
}

sub run_heads { return qw(PID TASK STATUS USER SUBMITTED TOOK) }

sub run_cells
{
    my ($run) = @_;
    return map { printable($_) } $run->{pid}, _task($run), $run->{status}, $run->{user},
        ($run->{submitTime} // '') =~ s/\.\d+Z\z/Z/r, _took($run);
}

# From its start to its end.
sub _took
{
    my ($run) = @_;
    my ($from, $to) = map { _seconds($run->{$_}) } qw(startTime completionTime);
    return defined $from && defined $to ? sprintf '%.3f s', $to - $from : undef;
}

sub _seconds
{
    my ($text) = @_;
    my ($y, $mo, $d, $h, $mi, $s) = ($text // '') =~
        /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d(?:\.\d+)?)Z$/ or return undef;
    return eval { Time::Local::timegm(0, $mi, $h, $d, $mo - 1, $y) + $s };
}

1;

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The rows of measurements, a line of JSON each on standard input, as a Markdown table; or, with
# --json, as one JSON document that says what they were measured on.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use POSIX ();

sub number
{
    my ($number) = @_;
    return $number >= 100 ? sprintf '%.0f', $number : sprintf '%.2f', $number;
}

# What a command says, in its first line.
sub said
{
    my (@command) = @_;
    open my $in, '-|', @command or return '';
    my $line = <$in> // '';
    close $in or return '';
    return $line =~ s/\s+\z//r;
}

sub machine
{
    my @uname = POSIX::uname();
    open my $in, '<', '/proc/meminfo' or die "/proc/meminfo: $!\n";
    my ($kilobytes) = map { /^MemTotal:\s+(\d+)/ ? $1 : () } <$in>;
    return {
        kernel   => "$uname[0] $uname[2]",
        cores    => said('nproc') + 0,
        memoryMB => int($kilobytes / 1024),
        versions => {map { ($_ => said('dpkg-query', '-W', '-f', '${Version}', $_)) }
                qw(apache2-bin libapr1 libdb5.3 libjansson4 wrk)},
    };
}

my @rows = map { JSON::PP->new->decode($_) } <STDIN>;
if (@ARGV && $ARGV[0] eq '--json') {
    print JSON::PP->new->canonical->pretty->encode({machine => machine(), rows => \@rows});
    exit;
}
print "| what | measured | goal | medians | how |\n|---|---|---|---|---|\n";
for my $row (@rows) {
    my $rates = join ', ', map { "$_ " . number($row->{rates}{$_}) } sort keys %{$row->{rates} // {}};
    printf "| %s | %s | %s | %s | %s |\n", $row->{name}, number($row->{value}), $row->{goal}, $rates, $row->{how};
}

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

# ---- the figures that have a goal ----

sub print_goals
{
    my (@rows) = @_;
    print "| what | measured | goal | medians | how |\n|---|---|---|---|---|\n";
    for my $row (@rows) {
        my $rates = join ', ', map { "$_ " . number($row->{rates}{$_}) } sort keys %{$row->{rates} // {}};
        printf "| %s | %s | %s | %s | %s |\n", $row->{name}, number($row->{value}), $row->{goal}, $rates, $row->{how};
    }
    return;
}

# ---- what systems beside ours do: a line each ----

sub both
{
    my ($times) = @_;
    return $times ? join ' / ', map { number($times->{$_}) } qw(p50 p99) : '-';
}

sub crash
{
    my ($row) = @_;
    my $crash = $row->{figures}{crash};
    my $lost = $crash->{lost} . ($crash->{told} ? " ($crash->{told} told)" : '');
    return join ' / ', $crash->{acknowledged}, $lost, $crash->{double}, $row->{sees_ends} ? $crash->{stuck} : '-';
}

sub cells
{
    my ($row) = @_;
    my $figures = $row->{figures};
    my $one = sub { return map { defined $figures->{$_} ? number($figures->{$_}) : '-' } @_ };
    return ($row->{name}, $one->(qw(held accepted)), (map { both($figures->{$_}) } qw(latency sent answered end)),
        $one->(qw(completed memory)), crash($row), number($figures->{crash}{silent}));
}

sub print_peers
{
    my (@rows) = @_;
    my @heads = ('system', 'accepted/s, nothing executed', 'accepted/s', 'answer, ms',
        'POST to first instruction, ms', 'answer to first instruction, ms', 'POST to end seen, ms', 'completed/s',
        'memory, MB', 'crash: acknowledged / lost / double / stuck', 'silent, ms');
    print '| ', join(' | ', @heads), " |\n", '|---' x @heads, "|\n";
    print '| ', join(' | ', cells($_)), " |\n" for @rows;
    print "\nTimes are p50 / p99. Crash: of what was acknowledged before and after `kill -9`, what never ran (told: its ",
        "end says so), ran twice, and has no end that a client sees; silent: the longest time without an answer.\n\n";
    for my $row (@rows) {
        my $versions = join ', ', map {"$_ $row->{versions}{$_}"} sort keys %{$row->{versions}};
        print "- $row->{name} ($versions): durable: $row->{durable}. $row->{settings}.\n";
    }
    print "\nHow: $rows[0]{how}.\n";
    return;
}

my @peers = grep { ($_->{kind} // '') eq 'peer' } @rows;
my @goals = grep { !$_->{kind} } @rows;
print_goals(@goals) if @goals;
print "\n" if @goals && @peers;
print_peers(@peers) if @peers;

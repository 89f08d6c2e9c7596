#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# kill -9 of keeper, runner and httpd's children, again and again under load: how often a promise was
# broken. scripts/torture does the same for longer, and with the supervisor.
#
#   kills.pl ROUNDS
use strict;
use warnings FATAL => 'all';
use WfBench qw(row);
use WfTorture;

my ($rounds) = @ARGV;
my $SECONDS = 15;
my @PROMISES = qw(lost stuck double false orphans refused silent);

my %sum;
for my $seed (1 .. $rounds) {
    my %count = WfTorture->new(seed => $seed, seconds => $SECONDS, acts => [qw(keeper runner child)],
        say => sub { print {*STDERR} "@_\n" })->run;
    $sum{$_} += $count{$_} for keys %count;
}
my $broken = 0;
$broken += $sum{$_} for @PROMISES;
row(name => 'kill -9 under load: promises broken', goal => '0', value => $broken,
    rates => {map { ($_ => $sum{$_}) } qw(acts posted), @PROMISES},
    how => "keeper, runner and httpd's children, one every few seconds, $rounds rounds of $SECONDS s");

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What each call of the store costs with many runs kept, beside what it costs with few.
#
#   growth.pl ROUNDS [RUNS]
use strict;
use warnings FATAL => 'all';
use File::Path qw(remove_tree);
use WfBench qw(median program row state);

my ($rounds, $many) = @ARGV;
$many ||= 100_000;
my $FEW = 1000;
my $CALLS = 2000;

# Medians in microseconds, by call.
sub costs
{
    my ($runs) = @_;
    my $folder = state('bench-growth');
    remove_tree($folder);
    mkdir $folder, 0700 or die "$folder: $!\n";
    open my $in, '-|', program('store'), $folder, 'GROW', $runs, $CALLS or die "store: $!\n";
    my %costs = map { split } <$in>;
    close $in or die "store failed\n";
    return \%costs;
}

my @pairs = map { [costs($FEW), costs($many)] } 1 .. $rounds;
for my $call (sort keys %{$pairs[0][0]}) {
    row(name => "$call with $many runs / with $FEW", goal => '<= 1.3',
        value => median(map { $_->[1]{$call} / $_->[0]{$call} } @pairs),
        rates => {few => median(map { $_->[0]{$call} } @pairs), many => median(map { $_->[1]{$call} } @pairs)},
        how => "medians of $CALLS calls, microseconds, $rounds rounds");
}

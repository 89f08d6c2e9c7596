#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# t/torture.pl MINUTES SEED: tortures the test server that runs, and prints what it did and the
# counts. scripts/torture starts that server.
use strict;
use warnings FATAL => 'all';
use WfTorture;

$| = 1;
my ($minutes, $seed) = @ARGV;
my %count = WfTorture->new(
    seed      => $seed,
    seconds   => $minutes * 60,
    acts      => [('keeper') x 3, ('runner') x 3, ('child') x 2, ('both') x 2, 'supervisor'],
    postponed => 0.1,
    say       => sub { print "$_[0]\n" },
)->run;

my @promises = @WfTorture::PROMISES;
my %promise = map { $_ => 1 } @promises;
print "\n";
printf "%-22s %8d\n", $_, $count{$_} for sort grep { !$promise{$_} } keys %count;
print join(', ', map {"$_ $count{$_}"} @promises), " in $count{acts} kills\n";
exit((grep { $count{$_} } @promises) ? 1 : 0);

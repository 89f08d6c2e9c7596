#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A short round of scripts/torture: keeper, runner and httpd's children are killed at random under a
# load of runs, statuses, interrupts, callbacks and changes of API configurations, and every promise is
# kept. WF_TORTURE_SEED repeats a plan.
use strict;
use warnings FATAL => 'all';
use WfServer qw(pids_of);
use WfTest;
use WfTorture;

my $seed = $ENV{WF_TORTURE_SEED} // int rand 1_000_000;
note("seed $seed");
my @said;
my %count = WfTorture->new(
    seed      => $seed,
    seconds   => 15,
    acts      => [qw(keeper runner child both)],
    postponed => 0.1,
    say       => sub { push @said, @_ },
)->run;

cmp_ok($count{posted}, '>', 100, "$count{posted} runs were accepted");
cmp_ok($count{followed}, '>', 0, "$count{followed} streams told the end of their run");
cmp_ok($count{told}, '>', 20, "$count{told} ends were told, $count{'told again'} of them again");
cmp_ok($count{changes}, '>', 20, "$count{changes} changes of configurations were answered");
cmp_ok($count{'runs barred'}, '>', 0, "$count{'runs barred'} runs were refused by them");
cmp_ok($count{acts}, '>=', 2, "$count{acts} processes were killed");
for my $promise (@WfTorture::PROMISES) {
    is($count{$promise}, 0, "none $promise") or diag("seed $seed", map {"\n$_"} @said);
}
wait_for('all of our processes', 20,
    sub { pids_of('supervisor') && pids_of('keeper') && pids_of('runner') });
run_ends_as('and the server works as before', 'completed', 'noop', '{}', project => '602');

done(qr/WF01\d\d: /, qr/AH00051|AH00052|AH00288|AH10292/);

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The wait action takes its time, no more than a little longer, and ends at once when interrupted.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfTest;

sub seconds
{
    my ($text) = @_;
    my ($h, $m, $s) = $text =~ /T(\d+):(\d+):([\d.]+)Z/;
    return $h * 3600 + $m * 60 + $s;
}

my $run = run_ends_as('a short wait', 'completed', 'wait');
my $took = seconds($run->{completionTime}) - seconds($run->{startTime});
$took += 86_400 if $took < 0;
cmp_ok($took, '>=', 0.25, 'it waits as long as it says');
cmp_ok($took, '<', 5, 'and hardly longer');
ok(!defined $run->{result}, 'its result is null');

my $pid = post_run('long-wait');
my $progress = wait_for('the progress to tell of it', 10, sub { run_get($pid)->{progress} });
is($progress->{action}, 'for long', 'the progress names the action');
my $began = time;
is(api('POST', "/interrupt/$pid")->status, 202, 'interrupting it');
is(run_end($pid)->{status}, 'interrupted', 'ends it');
cmp_ok(time - $began, '<', 5, 'long before its time');

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A task that runs longer than its timeout ends as an error of type timeout, and nothing is left of it.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfTest;

for my $task ('timeout', 'timeout-wait') {
    my $began = time;
    my $run = run_ends_as($task, 'error', $task);
    my $took = time - $began;
    is($run->{error}{type}, 'timeout', "$task: its type");
    ok(!exists $run->{interruptTime}, "$task: nobody interrupted it");
    cmp_ok($took, '>=', 0.95, "$task: not before its time");
    cmp_ok($took, '<', 8, "$task: soon after");
    rows(["$task: it has ended", ['POST', "/interrupt/$run->{pid}"], 409, problem => 'already-ended']);
}

done();

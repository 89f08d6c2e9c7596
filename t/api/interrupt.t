#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET and POST /interrupt/{pid}: 202 where it stops the run, 200 where that was done before, 409
# where the run had ended otherwise. HEAD changes nothing.
use strict;
use warnings FATAL => 'all';
use WfTest;

sub running
{
    my ($task, %option) = @_;
    my $pid = post_run($task, '{}', %option);
    wait_for("run $pid to start", 10, sub { run_get($pid)->{status} eq 'running' });
    return $pid;
}

for my $method ('GET', 'POST') {
    for my $task ('long', 'long-wait') {
        my $pid = running($task);
        my $name = "$method, $task";
        rows([$name, [$method, "/interrupt/$pid"], 202, run => {pid => $pid, interruptTime => qr/Z$/}]);
        my $run = run_end($pid);
        is($run->{status}, 'interrupted', "$name: ends as interrupted");
        ok(!exists $run->{error}, "$name: which is no error");
        like($run->{completionTime}, qr/Z$/, "$name: with its time");
        rows(["$name: again", [$method, "/interrupt/$pid"], 200, run => {status => 'interrupted'}]);
        is_deeply(run_get($pid), $run, "$name: again changes nothing");
    }
}

# One that has not begun yet ends at once.
my $first = running('one');
my $second = post_run('one');
is(run_get($second)->{status}, 'submitted', 'a second run of a task with concurrency 1 waits');
rows(['interrupting what waits', ['POST', "/interrupt/$second"], 202, run => {status => 'interrupted'}]);
my $run = run_get($second);
ok(!exists $run->{startTime}, 'it never began');
is(run_get($first)->{status}, 'running', 'the first is not touched');

rows(
    ['HEAD', ['HEAD', "/interrupt/$first"], 200, empty => 1],
    ['PUT', ['PUT', "/interrupt/$first", json => '{}'], 405, problem => 'method-not-allowed'],
);
is(run_get($first)->{status}, 'running', 'a HEAD interrupts nothing');
ok(!exists run_get($first)->{interruptTime}, 'nor was it asked to');
rows(['a body that nobody reads', ['POST', "/interrupt/$first", json => '{"why": 1}'], 202]);
is(run_end($first)->{status}, 'interrupted', 'interrupted in the end');

my $completed = run_ends_as('one that completes', 'completed', 'noop')->{pid};
my $failed = run_ends_as('one that fails', 'error', 'code')->{pid};
rows(
    ['what has completed', ['POST', "/interrupt/$completed"], 409, problem => 'already-ended',
        detail => qr/completed/],
    ['what has failed', ['GET', "/interrupt/$failed"], 409, problem => 'already-ended', detail => qr/error/],
    ['a pid that never was', ['POST', '/interrupt/0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a'], 404,
        problem => 'unknown-run'],
    ['what is no pid', ['POST', '/interrupt/12'], 404, problem => 'unknown-run'],
);
is(run_get($completed)->{status}, 'completed', 'completed stays completed');

done();

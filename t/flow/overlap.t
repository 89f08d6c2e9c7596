#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A task's "overlap": while as many runs as may be are under way another one is refused (409), or its
# request is answered with one of those; and nothing is stored.
use strict;
use warnings FATAL => 'all';
use WfTest;

sub post
{
    my ($task) = @_;
    return api('POST', "/projects/605/tasks/$task/run?trigger=API", json => '{}');
}

sub interrupt
{
    my ($pid) = @_;
    api('POST', "/interrupt/$pid");
    return run_end($pid)->{status};
}

my $first = post_run('refuse', '{}', project => '605');
is_problem(post('refuse'), 409, 'already-running', 'a second one is refused', qr/\Q$first\E/);
wait_for('the first to start', 10, sub { run_get($first)->{status} eq 'running' });
is_problem(post('refuse'), 409, 'already-running', 'also when the first one runs');
is(interrupt($first), 'interrupted', 'the first one ends');
my $second = post_run('refuse', '{}', project => '605');
isnt($second, $first, 'then another one is accepted');
is(interrupt($second), 'interrupted', 'and ends');

my @two = map { post_run('refuse-two', '{}', project => '605') } 1 .. 2;
is_problem(post('refuse-two'), 409, 'already-running', 'with a concurrency of two the third is refused');
interrupt($_) for @two;

$first = post_run('skip', '{}', project => '605');
my $answer = post('skip');
is($answer->status, 200, 'a request that is skipped is answered 200');
is($answer->json->{pid}, $first, 'with the run that is under way');
like($answer->header('Location'), qr{/status/\Q$first\E$}, 'and where it is');
is(interrupt($first), 'interrupted', 'it ends');
$answer = post('skip');
is($answer->status, 202, 'then another one is accepted');
isnt($answer->json->{pid}, $first, 'which is a new one');
interrupt($answer->json->{pid});

done();

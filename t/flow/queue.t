#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A task's "queue": as many runs of it wait as it says; one more is refused (429), and nothing is stored.
use strict;
use warnings FATAL => 'all';
use WfTest;

sub post
{
    my ($task, %option) = @_;
    return api('POST', "/projects/605/tasks/$task/run?trigger=API", json => '{}', %option);
}

my %key = (headers => {'Idempotency-Key' => "$$-" . time});
my $first = post_run('queue', '{}', project => '605');
wait_for('the first to start', 10, sub { run_get($first)->{status} eq 'running' });
my @waiting = map { post_run('queue', '{}', project => '605') } 1 .. 2;
my $full = post('queue', %key);
is_problem($full, 429, 'queue-full', 'a third one that would wait is refused', qr/wait/);
like($full->header('Retry-After'), qr/^[1-9]\d*$/, 'and told when to come again');
is(run_get($_)->{status}, 'submitted', 'the others wait') for @waiting;
my $other = post('refuse');
is($other->status, 202, 'another task does not mind');
api('POST', '/interrupt/' . $other->json->{pid});
is(run_end($other->json->{pid})->{status}, 'interrupted', 'it ends');

# One of them ends, and there is room for one; what was refused may be sent again with its key.
api('POST', "/interrupt/$waiting[0]");
is(run_end($waiting[0])->{status}, 'interrupted', 'one ends');
my $again = post('queue', %key);
is($again->status, 202, 'then another one is accepted');
is($again->header('Idempotency-Replayed'), undef, 'as a new one');
is_problem(post('queue'), 429, 'queue-full', 'and then none');
is(post('queue', %key)->json->{pid}, $again->json->{pid}, 'one that is there is told of');

for my $pid ($again->json->{pid}, $waiting[1], $first) {
    api('POST', "/interrupt/$pid");
    is(run_end($pid)->{status}, 'interrupted', 'it ends as any other');
}

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# POST …/run starts a run: 202, Location, and the run as it stands.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $TIME = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
my $body = '{"name": "John Doe", "address": {"lineOne": "123 Main Street", "city": "Nashville"}}';

my %run = (
    pid        => $PID,
    projectId  => '569',
    taskId     => '12',
    status     => qr/^(?:submitted|running|completed)$/,
    trigger    => 'API',
    user       => 'alice',
    submitTime => $TIME,
);

rows(
    ['the path of DBSync\'s page', ['POST', '/projects/569/tasks/12/run?trigger=API', json => $body],
        202, run => \%run,
        headers => {'Location' => qr{^(?:http://[^/]+)?/cw/api/v2/status/[0-9a-f-]{36}$},
            'Content-Type' => 'application/json'}],
    ['the singular spelling', ['POST', '/project/569/task/12/run?trigger=API', json => $body],
        202, run => \%run, headers => {'Location' => qr{/cw/api/v2/status/}}],
    ['the other base', ['POST', '/projects/569/tasks/12/run?trigger=API', json => $body,
        base => '/api/v2'], 202, run => \%run,
        headers => {'Location' => qr{^(?:http://[^/]+)?/api/v2/status/[0-9a-f-]{36}$}}],
    ['a chunked body', ['POST', '/projects/569/tasks/12/run?trigger=API', type => 'application/json',
        chunks => [substr($body, 0, 20), substr $body, 20]], 202, run => \%run],
    ['another argument beside', ['POST', '/projects/569/tasks/12/run?x=%20&trigger=%41PI&y',
        json => $body], 202, run => \%run],
    ['another user', ['POST', '/projects/569/tasks/12/run?trigger=API', json => $body,
        user => 'bob'], 202, run => {%run, user => 'bob'}],

    ['no trigger', ['POST', '/projects/569/tasks/12/run', json => $body], 400,
        problem => 'invalid-trigger', detail => qr/API/],
    ['an empty trigger', ['POST', '/projects/569/tasks/12/run?trigger=', json => $body], 400,
        problem => 'invalid-trigger'],
    ['an unknown trigger', ['POST', '/projects/569/tasks/12/run?trigger=CRON', json => $body], 400,
        problem => 'invalid-trigger'],
    ['a trigger in lower case', ['POST', '/projects/569/tasks/12/run?trigger=api', json => $body], 400,
        problem => 'invalid-trigger'],
    ['two triggers', ['POST', '/projects/569/tasks/12/run?trigger=API&trigger=X', json => $body], 400,
        problem => 'invalid-trigger'],
    ['the trigger twice', ['POST', '/projects/569/tasks/12/run?trigger=API&trigger=API',
        json => $body], 202],
    ['a broken escape', ['POST', '/projects/569/tasks/12/run?trigger=%4', json => $body], 400,
        problem => 'invalid-trigger'],
    ['an unknown project', ['POST', '/projects/999/tasks/12/run?trigger=API', json => $body], 404,
        problem => 'unknown-project'],
    ['an unknown task', ['POST', '/projects/569/tasks/999/run?trigger=API', json => $body], 404,
        problem => 'unknown-task'],
    ['a project id with dots that lead out', ['POST', '/projects/..%2f569/tasks/12/run?trigger=API',
        json => $body], 404, headers => {'Content-Type' => 'application/problem+json'}],
    ['a project id that begins with a dot', ['POST', '/projects/.569/tasks/12/run?trigger=API',
        json => $body], 404, problem => 'unknown-project'],
    ['a project id of 65 characters', ['POST', '/projects/' . 'a' x 65 . '/tasks/12/run?trigger=API',
        json => $body], 404, problem => 'unknown-project'],
    ['a project id with a NUL', ['POST', '/projects/569%00/tasks/12/run?trigger=API', json => $body],
        404, headers => {'Content-Type' => 'application/problem+json'}],
);

# The answer's Location is the run's own, and leads to it.
my $answer = api('POST', '/projects/569/tasks/12/run?trigger=API', json => $body);
my ($path) = $answer->header('Location') =~ m{(/cw/api/v2/status/.*)};
is(api('GET', $path, base => '')->json->{pid}, $answer->json->{pid}, 'Location leads to the run');

# DBSync's example, to its end.
my $run = run_end($answer->json->{pid});
is($run->{status}, 'completed', 'the example completes');
is($run->{result}, "John Doe lives at 123 Main Street, Nashville.\n",
    'its result is what the program wrote');
like($run->{$_}, $TIME, $_) for qw(submitTime startTime completionTime);
ok($run->{submitTime} le $run->{startTime} && $run->{startTime} le $run->{completionTime},
    'its times are in order');
is_deeply([@{$run->{progress}}{qw(done total)}], [2, 2], 'its progress is complete');
ok(!exists $run->{error} && !exists $run->{interruptTime}, 'what there is not is left out');

# pids are UUIDv7: they sort by time.
my @pids = map { post_run('noop') } 1 .. 5;
is_deeply([sort @pids], \@pids, 'pids sort by time');
is(run_end($_)->{status}, 'completed', "run $_ completes") for @pids;

done();

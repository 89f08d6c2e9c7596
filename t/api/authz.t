#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Authorization is httpd's own: one rule for a project's path covers its runs everywhere. For a user
# whom it refuses, a run of that project looks like one that never was.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $run = '/projects/601/tasks/echo/run?trigger=API';
my $pid = post_run('long', '{}', project => '601');
wait_for('the run to start', 10, sub { run_get($pid)->{status} eq 'running' });

rows(
    ['alice may run', ['POST', $run, json => '1'], 202],
    ['bob may not', ['POST', $run, json => '1', user => 'bob'], 401, problem => 'unauthorized'],
    ['bob may not at the other base', ['POST', $run, json => '1', user => 'bob', base => '/api/v2'],
        401, problem => 'unauthorized'],
    ['alice may run by the singular path', ['POST', '/project/601/task/echo/run?trigger=API',
        json => '1'], 202],
    ['bob may not by the singular path', ['POST', '/project/601/task/echo/run?trigger=API', json => '1',
        user => 'bob'], 403, problem => 'forbidden'],
    ['bob sees no status', ['GET', "/status/$pid", user => 'bob'], 404, problem => 'unknown-run'],
    ['bob sees none at the other base', ['GET', "/status/$pid", user => 'bob', base => '/api/v2'], 404,
        problem => 'unknown-run'],
    ['bob does not interrupt', ['POST', "/interrupt/$pid", user => 'bob'], 404,
        problem => 'unknown-run'],
    ['bob does not interrupt by GET', ['GET', "/interrupt/$pid", user => 'bob'], 404,
        problem => 'unknown-run'],
    ['bob may run what is open to all', ['POST', '/projects/600/tasks/noop/run?trigger=API', json => '1',
        user => 'bob'], 202],
    ['alice sees it', ['GET', "/status/$pid"], 200, run => {status => 'running', projectId => '601'}],
    ['alice sees it at the other base', ['GET', "/status/$pid", base => '/api/v2'], 200],
);

# A rule that depends on the method is kept for what depends on that: who may not POST a run may not
# interrupt one by GET, although httpd lets that method in.
my $other = post_run('long', '{}', base => '/read');
rows(
    ['bob may not run where he may only read', ['POST', '/projects/600/tasks/noop/run?trigger=API', json => '1',
        user => 'bob', base => '/read'], 401, problem => 'unauthorized'],
    ['nor interrupt by GET', ['GET', "/interrupt/$other", user => 'bob', base => '/read'], 404,
        problem => 'unknown-run'],
    ['bob may at a base where he may run', ['GET', "/interrupt/$other", user => 'bob'], 202],
);
my ($listed) = api('GET', '/projects', user => 'bob', base => '/read')->json->{projects};
is_deeply($listed, [], 'nor does he see what there is to run');

# Refused and unknown look alike, to the byte.
my $refused = api('GET', "/status/$pid", user => 'bob');
my $unknown = api('GET', '/status/0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a', user => 'bob');
is($refused->body, $unknown->body, 'refused and unknown look alike');

rows(['alice interrupts', ['POST', "/interrupt/$pid"], 202]);
is(run_end($pid)->{status}, 'interrupted', 'and that ends it');

done(
    qr/AH01631: user bob: authorization failure/,
);

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /status/{pid}: the run as it stands.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $UNKNOWN = '0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a';
my $done = run_ends_as('a run to ask for', 'completed', 'text')->{pid};

rows(
    ['a run that ended', ['GET', "/status/$done"], 200,
        run => {pid => $done, status => 'completed', result => "two\nlines\n"},
        headers => {'Content-Type' => 'application/json', 'Cache-Control' => qr/no-store/}],
    ['the other base', ['GET', "/status/$done", base => '/api/v2'], 200, run => {pid => $done}],
    ['another user of the same project', ['GET', "/status/$done", user => 'bob'], 200],
    ['the pid in upper case', ['GET', '/status/' . uc $done], 200, run => {pid => $done}],
    ['HEAD', ['HEAD', "/status/$done"], 200, empty => 1],
    ['a pid that never was', ['GET', "/status/$UNKNOWN"], 404, problem => 'unknown-run'],
    ['what is no pid', ['GET', '/status/12'], 404, problem => 'unknown-run'],
    ['nothing after the slash', ['GET', '/status/'], 404, problem => 'not-found'],
    ['a segment too many', ['GET', "/status/$done/x"], 404, problem => 'not-found'],
    ['a slash too many', ['GET', "/status/$done/"], 404, problem => 'not-found'],
    ['the pid of a failed one', ['GET', '/status/' . run_end(post_run('code'))->{pid}], 200,
        run => {status => 'error'}],
);

# As it goes on.
my $pid = post_run('long');
my $run = wait_for('the start of the run', 10, sub {
    my $now = run_get($pid);
    return $now->{status} eq 'running' && $now->{progress} ? $now : undef;
});
is_deeply($run->{progress}, {action => 'exec', done => 0, total => 1}, 'a running run tells its progress');
like($run->{startTime}, qr/Z$/, 'and when it started');
ok(!exists $run->{$_}, "and no $_") for qw(completionTime result error interruptTime);
is(api('POST', "/interrupt/$pid")->status, 202, 'it is interrupted');
is(run_end($pid)->{status}, 'interrupted', 'and then says so');

# A final status stays.
my $first = api('GET', "/status/$done")->body;
is(api('GET', "/status/$done")->body, $first, 'the same run, the same answer') for 1 .. 3;

done();

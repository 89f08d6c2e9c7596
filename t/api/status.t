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
        headers => {'Content-Type' => 'application/json', 'Cache-Control' => 'private, no-cache',
            'ETag' => qr/^"[0-9a-f]{32}"$/}],
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

# What the client has already: the tag is of the answer's bytes, whoever asks and at whichever base.
my $etag = api('GET', "/status/$done")->header('ETag');
my $same = [200, headers => {'ETag' => $etag}];
rows(
    ['a tag that holds', ['GET', "/status/$done", headers => {'If-None-Match' => $etag}], 304, empty => 1,
        headers => {'ETag' => $etag, 'Cache-Control' => 'private, no-cache', 'Content-Type' => undef,
            'Content-Length' => undef}],
    ['HEAD with a tag that holds', ['HEAD', "/status/$done", headers => {'If-None-Match' => $etag}], 304,
        headers => {'ETag' => $etag}],
    ['among others', ['GET', "/status/$done", headers => {'If-None-Match' => qq("a", W/"b", $etag)}], 304],
    ['marked as weak', ['GET', "/status/$done", headers => {'If-None-Match' => "W/$etag"}], 304],
    ['any', ['GET', "/status/$done", headers => {'If-None-Match' => '*'}], 304, empty => 1],
    ['another user, the other base', ['GET', "/status/$done", user => 'bob', base => '/api/v2',
        headers => {'If-None-Match' => $etag}], 304],
    ['with a Range', ['GET', "/status/$done", headers => {'If-None-Match' => $etag, 'Range' => 'bytes=0-1'}],
        304],
    ['another tag', ['GET', "/status/$done", headers => {'If-None-Match' => '"x"'}], @{$same}],
    ['no quotes', ['GET', "/status/$done", headers => {'If-None-Match' => $etag =~ tr/"//dr}], @{$same}],
    ['conditions that are none of a run\'s', ['GET', "/status/$done", headers => {'If-Match' => '"x"',
        'If-Unmodified-Since' => 'Sat, 01 Jan 2000 00:00:00 GMT',
        'If-Modified-Since' => 'Sat, 01 Jan 2050 00:00:00 GMT'}], @{$same}],
    ['a tag for what never was', ['GET', "/status/$UNKNOWN", headers => {'If-None-Match' => '*'}], 404,
        problem => 'unknown-run', headers => {'ETag' => undef}],
    ['a tag for what is hidden', ['GET', "/status/$done", user => undef, headers => {'If-None-Match' => $etag}],
        401, problem => 'unauthorized'],
    ['HEAD /interrupt', ['HEAD', "/interrupt/$done", headers => {'If-None-Match' => $etag}], 304],
);
{
    # A connection that is kept: the client must find the next answer where the 304 ends.
    my $client = client(keep => 1);
    my @has = (headers => {'If-None-Match' => $etag});
    my @statuses = map { $client->request('GET', "/cw/api/v2/status/$done", @{$_})->status }
        ([], \@has, \@has, []);
    is("@statuses", '200 304 304 200', 'many on one connection');
}

# As it goes on.
my $pid = post_run('long');
my $run = wait_for('the start of the run', 10, sub {
    my $now = run_get($pid);
    return $now->{status} eq 'running' && $now->{progress} ? $now : undef;
});
is_deeply($run->{progress}, {action => 'exec', done => 0, total => 1}, 'a running run tells its progress');
like($run->{startTime}, qr/Z$/, 'and when it started');
my $before = api('GET', "/status/$pid")->header('ETag');
my @has = (headers => {'If-None-Match' => $before});
is(api('GET', "/status/$pid", @has)->status, 304, 'while nothing happens its tag holds');
ok(!exists $run->{$_}, "and no $_") for qw(completionTime result error interruptTime);
is(api('POST', "/interrupt/$pid")->status, 202, 'it is interrupted');
is(run_end($pid)->{status}, 'interrupted', 'and then says so');
my $after = api('GET', "/status/$pid", @has);
is($after->status, 200, 'its tag of before holds no more');
isnt($after->header('ETag'), $before, 'it has another');

# A final status stays.
my $first = api('GET', "/status/$done")->body;
is(api('GET', "/status/$done")->body, $first, 'the same run, the same answer') for 1 .. 3;

done();

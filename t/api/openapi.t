#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /openapi.json: the description is served for each base, and what the server answers is what it says:
# answers of every kind are held against it, and a client that knows nothing else runs the example.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use IPC::Open2 qw(open2);
use WfConfig qw(server_var);
use WfTest;

my $json = JSON::PP->new->canonical;
my $folder = server_var('t_state') . '/projects';
my @answers;

# Keeps an answer for the check, under the path that it was asked at.
sub keep
{
    my ($name, $status, $method, $path, %option) = @_;
    my $answer = api($method, $path, %option);
    is($answer->status, $status, $name) or diag($answer->body);
    push @answers, {name => "$name: $status", method => $method, path => $path, status => $answer->status,
        headers => $answer->{headers}, body => $answer->body};
    return $answer;
}

# ---- the document ----

my $document = api('GET', '/openapi.json');
is($document->header('Content-Type'), 'application/json', 'the description is JSON');
is($document->json->{openapi}, '3.1.0', 'of OpenAPI 3.1');
for my $base ('/cw/api/v2', '/api/v2', '/small') {
    is(api('GET', '/openapi.json', base => $base)->json->{servers}[0]{url}, $base, "its server is $base");
}
open my $in, '<', 'mod_dbsync_wf/http/openapi.json' or die "openapi.json: $!\n";
my $source = do { local $/ = undef; $json->utf8->decode(<$in>) };
is_deeply($document->json, $source, 'it is the one of the tree');
my $etag = $document->header('ETag');
rows(
    ['it has an entity tag', ['GET', '/openapi.json', headers => {'If-None-Match' => $etag}], 304, empty => 1],
    ['another base has another', ['GET', '/openapi.json', base => '/api/v2',
        headers => {'If-None-Match' => $etag}], 200],
    ['HEAD', ['HEAD', '/openapi.json'], 200, empty => 1, headers => {'ETag' => $etag}],
);

# ---- it is valid by OpenAPI's own schemas ----

# Whether a validator that is not ours takes it.
sub is_valid
{
    my ($text) = @_;
    my $file = "$folder/../openapi-validated.json";
    open my $out, '>:raw', $file or die "$file: $!\n";
    print {$out} $text;
    close $out or die "$file: $!\n";
    open my $said, '-|', $ENV{WF_OPENAPI_VALIDATOR}, $file or die "$ENV{WF_OPENAPI_VALIDATOR}: $!\n";
    my $result = $json->utf8->decode(do { local $/ = undef; <$said> });
    close $said;
    unlink $file;
    return $result->{valid} ? 1 : 0;
}

SKIP: {
    skip('WF_OPENAPI_VALIDATOR names no validator', 2) if !$ENV{WF_OPENAPI_VALIDATOR};
    is(is_valid($document->body), 1, 'it is valid');
    is(is_valid($document->body =~ s/"operationId"/"operationIdentity"/r), 0, 'and would not be with a mistake');
}

# ---- every path takes the methods that are described, and no others ----

for my $path (sort keys %{$source->{paths}}) {
    (my $sent = $path) =~ s/\{(\w+)\}/{projectId => '600', taskId => 'noop', pid => 'x'}->{$1}/ge;
    my $answer = api('OPTIONS', $sent);
    my %methods = map { uc $_ => 1 } grep { $_ ne 'parameters' } keys %{$source->{paths}{$path}};
    is($answer->header('Allow'), join(', ', grep({ $methods{$_ eq 'HEAD' ? 'GET' : $_} } qw(GET HEAD POST PUT DELETE)),
        'OPTIONS'), "$path takes what is described");
}

# ---- answers of every kind ----

my $run = '/projects/600/tasks/noop/run?trigger=API';
my $task = sub { qq("$_[0]": {"concurrency": 1, $_[1] "flows": [{"actions": [{"action": "wait", "seconds": 300}]}]}) };
open my $out, '>', "$folder/720.json" or die "720.json: $!\n";
print {$out} '{"id": "720", "tasks": {', join(', ', $task->('refuses', '"overlap": "refuse",'),
    $task->('skips', '"overlap": "skip",'), $task->('queues', '"queue": 1,')), '}}';
close $out or die "720.json: $!\n";
open $out, '>', "$folder/721.json" or die "721.json: $!\n";
print {$out} '{';
close $out or die "721.json: $!\n";

my $noop = keep('a run', 202, 'POST', $run, json => '{}');
my $pid = $noop->json->{pid};
run_end($pid);
my %key = (headers => {'Idempotency-Key' => "openapi-$$-" . time});
keep('a run with a key', 202, 'POST', $run, json => '1', %key);
keep('the same again', 202, 'POST', $run, json => '1', %key);
keep('another with the key', 422, 'POST', $run, json => '2', %key);
keep('no trigger', 400, 'POST', '/projects/600/tasks/noop/run', json => '1');
keep('no JSON', 400, 'POST', $run, json => '{"a": ');
keep('a key that is none', 400, 'POST', $run, json => '1', headers => {'Idempotency-Key' => 'a b'});
keep('no credentials', 401, 'POST', $run, json => '1', user => undef);
keep('no such project', 404, 'POST', '/projects/999/tasks/noop/run?trigger=API', json => '1');
keep('no such task', 404, 'POST', '/projects/600/tasks/999/run?trigger=API', json => '1');
keep('a method that a run does not take', 405, 'GET', $run);
keep('no length', 411, 'POST', $run, type => 'application/json');
keep('a body that is too long', 413, 'POST', $run, json => '"' . 'x' x 100 . '"', base => '/small');
keep('a body that is a form', 415, 'POST', $run, body => 'a=b', type => 'application/x-www-form-urlencoded');
keep('a broken project', 500, 'POST', '/projects/721/tasks/t/run?trigger=API', json => '1');

my @long;
for my $name (qw(refuses skips queues)) {
    my $long = post_run($name, '{}', project => '720');
    wait_for('it to start', 10, sub { run_get($long)->{status} eq 'running' });
    push @long, $long;
}
keep('a task that refuses', 409, 'POST', '/projects/720/tasks/refuses/run?trigger=API', json => '1');
keep('a task that skips', 200, 'POST', '/projects/720/tasks/skips/run?trigger=API', json => '1');
push @long, post_run('queues', '{}', project => '720');
keep('a queue that is full', 429, 'POST', '/projects/720/tasks/queues/run?trigger=API', json => '1');

keep('a run that is queued', 200, 'GET', "/status/$long[-1]");
keep('a run that runs', 200, 'GET', "/status/$long[0]");
keep('a run that completed', 200, 'GET', "/status/$pid");
my $ended = run_ends_as('one that fails', 'error', 'code');
keep('a run that failed', 200, 'GET', "/status/$ended->{pid}");
keep('a result', 200, 'GET', '/status/' . run_ends_as('one with a result', 'completed', 'echo', '{"x": [1]}')->{pid});
keep('several flows', 200, 'GET', '/status/' . run_ends_as('one of several flows', 'completed', 'flows')->{pid});
keep('what is kept of a lot', 200, 'GET', '/status/' . run_end(post_run('long-output'))->{pid});
keep('a wait', 200, 'GET', "/status/$pid?wait=5");
keep('a wait for nothing', 400, 'GET', "/status/$pid?wait=x");
keep('what has not changed', 304, 'GET', "/status/$pid", headers => {'If-None-Match' => '*'});
keep('no such run', 404, 'GET', '/status/x');
keep('HEAD of a run', 200, 'HEAD', "/status/$pid");
keep('a method that a status does not take', 405, 'POST', "/status/$pid", json => '1');
keep('credentials that are wrong', 401, 'GET', "/status/$pid", password => 'x');

keep('an interrupt', 202, 'POST', "/interrupt/$_") for @long;
run_end($_) for @long;
keep('the same again', 200, 'GET', "/interrupt/$long[0]");
keep('a run that was interrupted', 200, 'GET', "/status/$long[0]");
keep('an interrupt of what has completed', 409, 'POST', "/interrupt/$pid");
keep('an interrupt of what has failed', 409, 'GET', "/interrupt/$ended->{pid}");
keep('an interrupt from another site', 403, 'POST', "/interrupt/$pid", headers => {'Sec-Fetch-Site' => 'cross-site'});
keep('an interrupt of nothing', 404, 'GET', '/interrupt/x');

keep('runs', 200, 'GET', '/runs?limit=500');
keep('a page of runs', 200, 'GET', '/runs?limit=1');
keep('runs as they change', 200, 'GET', '/runs/events', base => '/small');
keep('a limit that is none', 400, 'GET', '/runs?limit=x');
keep('projects', 200, 'GET', '/projects');
keep('a page of projects', 200, 'GET', '/projects?limit=1');
keep('projects that have not changed', 304, 'GET', '/projects', headers => {'If-None-Match' => '*'});
keep('a cursor that is none', 400, 'GET', '/projects?cursor=a/b');
keep('a project', 200, 'GET', '/projects/600');
keep('a project that is broken', 200, 'GET', '/projects/721');
keep('a project that is none', 404, 'GET', '/projects/999');
keep("the task $_", 200, 'GET', "/projects/$_") for qw(569/tasks/12 600/tasks/noop 570/tasks/order 720/tasks/queues);
keep('a task that is none', 404, 'GET', '/projects/600/tasks/999');
keep('a task of a broken project', 500, 'GET', '/projects/721/tasks/t');
keep('events', 200, 'GET', "/status/$pid/events");
keep('events of no run', 404, 'GET', '/status/x/events');
my ($id) = api('GET', "/status/$pid")->header('ETag') =~ /^"(.*)"$/;
keep('events that are known', 204, 'GET', "/status/$pid/events?lastEventId=$id");
my $log = keep('a log', 200, 'GET', "/logs/$pid");
keep('a log that is followed', 200, 'GET', "/logs/$pid?follow=1");
keep('a part of a log', 206, 'GET', "/logs/$pid", headers => {'Range' => 'bytes=0-9'});
keep('no part of a log', 416, 'GET', "/logs/$pid", headers => {'Range' => 'bytes=9999999-'});
keep('a log that is known', 304, 'GET', "/logs/$pid", headers => {'If-None-Match' => $log->header('ETag')});
keep('a log that is neither', 400, 'GET', "/logs/$pid?follow=x");
keep('a log of no run', 404, 'GET', '/logs/x');
keep('figures', 200, 'GET', '/metrics');
keep('statistics', 200, 'GET', '/statistics');
keep('statistics of a task', 200, 'GET', '/statistics?project=600&task=noop&hours=1');
keep('statistics that have not changed', 304, 'GET', '/statistics', headers => {'If-None-Match' => '*'});
keep('hours that are none', 400, 'GET', '/statistics?hours=0');
keep('the description', 200, 'GET', '/openapi.json');
unlink "$folder/720.json", "$folder/721.json";

my ($ended_well, @said) = check(@answers);
ok($ended_well, 'the check ended well');
is(pop @said // '', 'done', 'and is complete');
is(scalar @said, scalar @answers, 'each answer was looked at');
is_deeply([grep { !/^ok / } @said], [], 'each is as the description says');
my %other = %{$answers[0]};
for my $case (['without a pid', body => '{"projectId": "600"}'], ['with a member more', body =>
    $other{body} =~ s/\{/{"x": 1,/r], ['with another status', status => 204], ['of another type', headers => {
    %{$other{headers}}, 'content-type' => 'text/html'}], ['without a header', headers => {'content-type' =>
    'application/json'}], ['at another path', path => '/nowhere'])
{
    my ($name, %change) = @{$case};
    like((check({%other, %change}))[1], qr/^not ok /, "an answer $name would be found");
}

# Whether the check ended well, and its lines, one an answer and the last one "done".
sub check
{
    my $child = open2(my $from, my $to, '/usr/bin/python3', 't/programs/openapi_check.py', 'answers');
    print {$to} "$_\n" for map { $json->utf8->encode($_) } $source, @_;
    close $to or die "the check: $!\n";
    chomp(my @lines = <$from>);
    waitpid $child, 0;
    return ($? == 0, @lines);
}

# ---- a client that has read nothing else ----

my $url = 'http://127.0.0.1:' . server_var('port') . '/cw/api/v2/openapi.json';
open my $client, '-|', '/usr/bin/python3', 't/programs/openapi_client.py', $url, 'alice', 'wonderland', '569', '12',
    '{"name": "John Doe", "address": {"lineOne": "123 Main Street", "city": "Nashville"}}' or die "python3: $!\n";
my $last = <$client>;
ok(close($client), 'the client ended well');
my $completed = $json->utf8->decode($last // '{}');
is($completed->{status}, 'completed', 'a client that knows the description alone runs a task to its end');
is($completed->{result}, "John Doe lives at 123 Main Street, Nashville.\n", 'and has its result');

done(
    qr/AH01617: user alice: authentication failure/,
    qr/\[dbsync_wf:(?:error|warn)\].*WF0203: .*721\.json/,
);

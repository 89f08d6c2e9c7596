#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# API configurations: what a task's file says, what is set over HTTP, who may, and what follows for runs.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use WfAudit;
use WfConfig qw(server_var);
use WfTest;

my $base = '/cw/api/v2';
my $json = JSON::PP->new->canonical;
my $audit = WfAudit->new(server_var('t_logs') . '/audit_log');

sub of { return "/configurations/608/$_[0]" }

sub put
{
    my ($task, $what, %option) = @_;
    return api('PUT', of($task), json => ref $what ? $json->encode($what) : $what, %option);
}

sub run { return api('POST', "/projects/608/tasks/$_[0]/run?trigger=API", json => $_[1] // '{}') }

# What is in force, and its tag.
sub look
{
    my ($task, %option) = @_;
    my $answer = api('GET', of($task), %option);
    die "$task: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    return ($answer->json, $answer->header('ETag'));
}

# ---- the default ----

my ($plain) = look('plain');
my $names = {projectId => '608', projectName => 'For tests of API configurations', taskId => 'plain',
    taskName => 'As its file says nothing', uri => $base . of('plain'),
    runUri => "$base/projects/608/tasks/plain/run?trigger=API"};
like(api('GET', of('plain'))->body, qr/"example":\{"n":1234567890123456789\}/, 'an example is kept digit by digit');
is_deeply({%{$plain}, example => 0}, {%{$names}, source => 'project', enabled => JSON::PP::true, example => 0,
    editable => JSON::PP::true}, 'a task whose file says nothing may be run');
my ($told) = look('told');
is_deeply([@{$told}{qw(description rateLimit)}], ['Takes an article.', {runs => 1000, seconds => 1}], 'the file says more');
is($told->{schema}{properties}{sku}{pattern}, '^[A-Z]+$', 'its schema is shown');
rows(
    ['a body that satisfies it', ['POST', '/projects/608/tasks/told/run?trigger=API',
        json => '{"sku": "AB", "price": 19.99}'], 202],
    ['one that does not', ['POST', '/projects/608/tasks/told/run?trigger=API', json => '{"sku": "ab"}'], 400,
        problem => 'invalid-body', detail => qr{^/sku: must match}],
    ['a fraction of it', ['POST', '/projects/608/tasks/told/run?trigger=API',
        json => '{"sku": "AB", "price": 19.999}'], 400, problem => 'invalid-body', detail => qr{^/price: }],
    ['the whole of it', ['POST', '/projects/608/tasks/told/run?trigger=API', json => '[]'], 400,
        problem => 'invalid-body', detail => qr/^The body: must be an object/],
    ['a task that may not be run', ['POST', '/projects/608/tasks/off/run?trigger=API', json => '{}'], 403,
        problem => 'disabled'],
    ['none', ['GET', of('none')], 404, problem => 'unknown-task'],
    ['none of that project', ['GET', '/configurations/none/plain'], 404, problem => 'unknown-task'],
);

# ---- the list ----

my %seen = map { ("$_->{projectId}/$_->{taskId}" => $_) } @{api('GET', '/configurations?limit=500')->json->{configurations}};
is_deeply($seen{'608/plain'}, $plain, 'the list has what each one is');
ok($seen{'600/noop'} && $seen{'601/noop'} // $seen{'600/noop'}, 'of every project');
my %bob = map { ("$_->{projectId}/$_->{taskId}" => $_) }
    @{api('GET', '/configurations?limit=500', user => 'bob')->json->{configurations}};
ok(!(grep {m{^601/}} keys %bob), 'bob does not see what is alice\'s alone');
is($bob{'608/plain'}{editable}, JSON::PP::false, 'and is told that he may change nothing');
is(api('GET', '/configurations?limit=500', user => 'bob', base => '/api/v2')->json->{configurations}[0]{editable},
    JSON::PP::true, 'but at the base where he may');
my (@pages, $cursor);
do {
    my $page = api('GET', '/configurations?project=608&limit=3' . ($cursor ? "&cursor=$cursor" : ''))->json;
    push @pages, [map { $_->{taskId} } @{$page->{configurations}}];
    $cursor = $page->{next};
} while ($cursor && @pages < 5);
is_deeply(\@pages, [[qw(off often plain)], ['told']], 'page by page, in the order of the ids');
rows(
    ['a cursor that is none', ['GET', '/configurations?cursor=x'], 400, problem => 'bad-request'],
    ['a limit that is none', ['GET', '/configurations?limit=0'], 400, problem => 'bad-request'],
);
my $listed = api('GET', '/configurations?project=608');
is(api('GET', '/configurations?project=608', headers => {'If-None-Match' => $listed->header('ETag')})->status, 304,
    'a list that has not changed');

# ---- set ----

my (undef, $tag) = look('plain');
my $set = put('plain', {description => 'new', example => {b => 1}, schema => {required => ['b']},
    rateLimit => {runs => 5, seconds => 10}}, headers => {'If-Match' => $tag});
is($set->status, 200, 'a configuration is set') or diag($set->body);
my ($now, $new_tag) = look('plain');
is_deeply($now, $set->json, 'and is then as it was answered');
is($set->header('ETag'), $new_tag, 'with its tag');
is_deeply([@{$now}{qw(source description changedBy)}], ['stored', 'new', 'alice'], 'by whom');
like($now->{changeTime}, qr/^20\d\d-.*Z$/, 'and when');
is(api('GET', of('plain'), headers => {'If-None-Match' => $new_tag})->status, 304, '304 for the same');
is_problem(put('plain', {}, headers => {'If-Match' => $tag}), 412, 'precondition-failed', 'an old tag');
is_problem(put('plain', {}, headers => {'If-None-Match' => '*'}), 412, 'precondition-failed', 'it is there');
is_problem(run('plain'), 400, 'invalid-body', 'runs are checked at once', qr/^The body: lacks the member "b"/);
is(run('plain', '{"b": 2}')->status, 202, 'and run');
is(put('plain', $now)->status, 200, 'what was read can be sent back');
is_deeply([@{(look('plain'))[0]}{qw(description schema rateLimit)}], [@{$now}{qw(description schema rateLimit)}],
    'and changes nothing');

# ---- what cannot be ----

rows(map { [$_->[0], ['PUT', of('plain'), json => $_->[1]], 400, problem => 'invalid-configuration', detail => $_->[2]] }
    ['no object', '[]', qr/^must be an object/],
    ['an unknown member', '{"enable": true}', qr/there is no member "enable"; there are: enabled, /],
    ['a member twice', '{"enabled": true, "enabled": false}', qr/has the member "enabled" twice/],
    ['a truth that is none', '{"enabled": 1}', qr{^/enabled: must be true or false}],
    ['a description that is none', '{"description": 7}', qr{^/description: must be a string}],
    ['a long one', '{"description": "' . ('x' x 5000) . '"}', qr{^/description: must not be longer than 4096}],
    ['a NUL', '{"description": "\u0000"}', qr{^/description: must not hold}],
    ['a schema that is none', '{"schema": {"properties": {"a": {"type": "text"}}}}', qr{^/schema/properties/a/type: }],
    ['a rule that would not be kept', '{"schema": {"requird": ["a"]}}', qr{^/schema}],
    ['a rate of nothing', '{"rateLimit": {"runs": 0, "seconds": 1}}', qr{^/rateLimit/runs: must be an integer from 1 to 1000000}],
    ['half a rate', '{"rateLimit": {"runs": 1}}', qr{^/rateLimit: must have}],
    ['a fraction', '{"rateLimit": {"runs": 1.5, "seconds": 1}}', qr{^/rateLimit/runs: }],
    ['a huge one', '{"rateLimit": {"runs": 100000000000000000000000, "seconds": 1}}', qr{^/rateLimit/runs: }],
    ['a callback without a URL', '{"callback": {}}', qr{^/callback: must have a url}],
    ['one of another kind', '{"callback": {"url": "ftp://example.org/"}}', qr{^/callback/url: must }],
    ['one with a password', '{"callback": {"url": "http://a:b@example.org/"}}', qr{^/callback/url: must }],
    ['one to a host that is not named', '{"callback": {"url": "http://example.org/"}}', qr{^/callback/url: .*DbsyncWfCallbackHosts}],
    ['a secret that is none', '{"callback": {"url": "http://example.org/", "secret": "x"}}', qr{^/callback/secret: must }],
    ['the file\'s and its own', '{"useProjectFile": true, "enabled": true}', qr{^/useProjectFile: must stand alone}],
    ['not the file\'s', '{"useProjectFile": false}', qr{^/useProjectFile: must be true}],
);
rows(
    ['no JSON', ['PUT', of('plain'), json => '{'], 400, problem => 'invalid-json'],
    ['a form', ['PUT', of('plain'), body => 'enabled=true', type => 'application/x-www-form-urlencoded'], 415,
        problem => 'unsupported-media-type'],
    ['too long', ['PUT', of('plain'), json => '{"example": "' . ('x' x 66000) . '"}'], 413, problem => 'body-too-large'],
    ['of no task', ['PUT', of('none'), json => '{}'], 404, problem => 'unknown-task'],
    ['by one who may not', ['PUT', of('plain'), json => '{}', user => 'bob'], 401, problem => 'unauthorized'],
    ['nor remove', ['DELETE', of('plain'), user => 'bob'], 401, problem => 'unauthorized'],
    ['nor what he may not run, where he may', ['PUT', '/configurations/601/noop', json => '{}', user => 'bob',
        base => '/api/v2'], 404, problem => 'unknown-task'],
);
is_deeply((look('plain'))[0]{schema}, {required => ['b']}, 'and nothing of that was stored');

# ---- removed, and set again ----

my ($before, $before_tag) = look('plain');
my $pid = run('plain', '{"b": 3}')->json->{pid};
run_end($pid);
is_problem(api('DELETE', of('plain'), headers => {'If-Match' => $tag}), 412, 'precondition-failed', 'not with an old tag');
my $removed = api('DELETE', of('plain'), headers => {'If-Match' => $before_tag});
is($removed->status, 204, 'it is removed');
is($removed->body, '', 'without a word');
is_problem(run('plain', '{"b": 4}'), 404, 'removed', 'and cannot be run');
is_problem(api('GET', of('plain')), 404, 'removed', 'nor read');
is_problem(api('DELETE', of('plain')), 404, 'removed', 'nor removed again');
is_problem(put('plain', {}, headers => {'If-Match' => $before_tag}), 412, 'precondition-failed', 'there is nothing to match');
is(run_get($pid)->{status}, 'completed', 'its past runs can be read');
my ($shown) = grep { $_->{taskId} eq 'plain' } @{api('GET', '/configurations?project=608')->json->{configurations}};
is_deeply([@{$shown}{qw(source formerSource description)}], ['removed', 'stored', 'new'], 'the list shows what it was');
is(put('plain', $before, headers => {'If-None-Match' => '*'})->status, 200, 'it is set again');
is(run('plain', '{"b": 5}')->status, 202, 'and can be run');
is(put('plain', '{"useProjectFile": true}')->status, 200, 'the file\'s is in force again');
is((look('plain'))[0]{source}, 'project', 'as its source says');
is(run('plain')->status, 202, 'any body will do');
is(put('off', '{"enabled": true}')->status, 200, 'a task is let run');
is(run('off')->status, 202, 'and runs');
is(api('DELETE', of('off'))->status, 204, 'a default is removed');
is(put('off', '{"useProjectFile": true}')->status, 200, 'and back');
is_problem(run('off'), 403, 'disabled', 'as its file says');

# ---- how often ----

is(run('often')->status, 202, "run $_ of two an hour") for 1, 2;
my $refused = run('often');
is_problem($refused, 429, 'rate-limited', 'and a third', qr/2 times in 3600 seconds/);
cmp_ok($refused->header('Retry-After'), '>', 1700, 'it is told when one may be');
cmp_ok($refused->header('Retry-After'), '<=', 1800, 'after half of it');
is(put('often', {rateLimit => {runs => 3, seconds => 3600}})->status, 200, 'another limit');
is(run('often')->status, 202, 'counts at once');
is_problem(run('often'), 429, 'rate-limited', 'with what was run before');
is(put('often', '{"useProjectFile": true}')->status, 200, 'back');

# ---- who did what ----

my @entries = $audit->take(30);
my @told = map { join ' ', map { $_ // '-' } @{$_}{qw(user action task outcome status)} }
    grep { $_->{action} =~ /^(?:configure|remove)$/ && ($_->{task} // '') =~ /^(?:off|none)$/ } @entries;
is_deeply(\@told, ['alice configure none unknown-task 404', 'alice configure off configured 200',
    'alice remove off removed 204', 'alice configure off configured 200'], 'the audit log tells each change')
    or diag(explain \@told);
ok((grep { $_->{action} eq 'configure' && $_->{outcome} eq 'unauthorized' && $_->{user} eq 'bob' } @entries),
    'and who was refused');

done(qr{AH01631: user bob: authorization failure for "/cw/api/v2/configurations/608/plain": });

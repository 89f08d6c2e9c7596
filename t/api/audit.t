#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The audit log: a line for each run, interrupt and refusal, and for nothing else; whole, whatever is
# sent and however many write at a time; never a password or a body.
use strict;
use warnings FATAL => 'all';
use POSIX ();
use WfAudit;
use WfConfig qw(server_var);
use WfTest;

my $file = server_var('t_logs') . '/audit_log';
my $audit = WfAudit->new($file);
my $elsewhere = WfAudit->new(server_var('t_logs') . '/audit_other');
my $run = '/projects/600/tasks/noop/run?trigger=API';
my $vhost = qr/^[\w.]+:\d+$/;

# told(NAME, REQUEST, STATUS, EXPECTED): sends a request, and tests its line; undef for none. The next
# request's line, which always has one, shows that there was none.
sub told
{
    my ($name, $request, $status, $expected) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = api(@{$request});
    is($answer->status, $status, $name);
    if (!$expected) {
        api('PUT', '/x');
        my @lines = $audit->take(1);
        is(scalar(@lines) . " $lines[0]{method}", '1 PUT', "$name: no line");
        return $answer;
    }
    my @lines = $audit->take(1);
    is(scalar @lines, 1, "$name: a line");
    my $line = $lines[0];
    like(delete $line->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, "$name: time");
    like(delete $line->{vhost}, $vhost, "$name: vhost");
    is(delete $line->{address}, '127.0.0.1', "$name: address");
    delete $line->{requestId}; # where an error log line was written for the request
    my %full = (user => 'alice', status => $status, %{$expected});
    delete $full{user} if !defined $full{user};
    if (($full{pid} // '') eq 'answered') {
        $full{pid} = $answer->json->{pid};
    }
    is_deeply($line, \%full, "$name: what it tells") or diag(explain($line));
    return $answer;
}

my %noop = (method => 'POST', action => 'run', project => '600', task => 'noop');

# Runs.
told('a run', ['POST', $run, json => '{"secret": "in the body"}'], 202,
    {%noop, outcome => 'started', pid => 'answered'});
told('by the singular path', ['POST', '/project/600/task/noop/run?trigger=API', json => '1'], 202,
    {%noop, outcome => 'started', pid => 'answered'});
my @key = (headers => {'Idempotency-Key' => "audit-$$-" . time});
told('with a key', ['POST', $run, json => '1', @key], 202, {%noop, outcome => 'started', pid => 'answered'});
told('again', ['POST', $run, json => '1', @key], 202, {%noop, outcome => 'replayed', pid => 'answered'});
told('with another body', ['POST', $run, json => '2', @key], 422,
    {%noop, outcome => 'idempotency-key-reused'});
told('no JSON', ['POST', $run, json => '{'], 400, {%noop, outcome => 'invalid-json'});
told('no such task', ['POST', '/projects/600/tasks/none/run?trigger=API', json => '1'], 404,
    {%noop, task => 'none', outcome => 'unknown-task'});
told('what can be no id', ['POST', '/projects/.x/tasks/noop/run?trigger=API', json => '1'], 404,
    {method => 'POST', action => 'run', task => 'noop', outcome => 'unknown-project'});

# Interrupts.
my $long = told('a long run', ['POST', '/projects/600/tasks/long/run?trigger=API', json => '1'], 202,
    {%noop, task => 'long', outcome => 'started', pid => 'answered'})->json->{pid};
my %long = (action => 'interrupt', project => '600', task => 'long', pid => $long);
told('an interrupt', ['GET', "/interrupt/$long", user => 'bob'], 202,
    {%long, method => 'GET', user => 'bob', outcome => 'interrupted'});
wait_for('its end', 20, sub { run_get($long)->{status} eq 'interrupted' });
told('once more', ['POST', "/interrupt/$long"], 200,
    {%long, method => 'POST', outcome => 'already-interrupted'});
my $done = run_ends_as('one that ends', 'completed', 'noop')->{pid};
$audit->take(1);
my %done = (action => 'interrupt', method => 'POST', project => '600', task => 'noop', pid => $done);
told('one that has ended', ['POST', "/interrupt/$done"], 409, {%done, outcome => 'already-ended'});
my $never = '0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a';
told('one that never was', ['POST', "/interrupt/$never"], 404,
    {action => 'interrupt', method => 'POST', pid => $never, outcome => 'unknown-run'});
told('no pid at all', ['POST', '/interrupt/x'], 404,
    {action => 'interrupt', method => 'POST', outcome => 'unknown-run'});
told('from another site', ['GET', "/interrupt/$done", headers => {'Sec-Fetch-Site' => 'cross-site'}], 403,
    {action => 'interrupt', method => 'GET', pid => $done, outcome => 'cross-site'});

# Refusals.
my %mallory = (user => 'mallory', password => 'x');
told('without credentials', ['GET', '/runs', user => undef], 401,
    {user => undef, action => 'read', method => 'GET', outcome => 'unauthorized'});
told('as somebody unknown', ['POST', $run, json => '1', %mallory], 401,
    {%noop, user => 'mallory', outcome => 'unauthorized'});
told('with a wrong password', ['GET', "/status/$done", password => 'not-my-password'], 401,
    {action => 'read', method => 'GET', pid => $done, outcome => 'unauthorized'});
told('a task of others', ['POST', '/projects/601/tasks/echo/run?trigger=API', json => '1', user => 'bob'], 401,
    {%noop, project => '601', task => 'echo', user => 'bob', outcome => 'unauthorized'});
told('by the singular path', ['POST', '/project/601/task/echo/run?trigger=API', json => '1', user => 'bob'], 403,
    {%noop, project => '601', task => 'echo', user => 'bob', outcome => 'forbidden'});
my $hidden = told('a run of alice\'s', ['POST', '/projects/601/tasks/echo/run?trigger=API', json => '1'], 202,
    {%noop, project => '601', task => 'echo', outcome => 'started', pid => 'answered'})->json->{pid};
my %hidden = (user => 'bob', project => '601', task => 'echo', pid => $hidden, outcome => 'hidden');
told('which is not bob\'s to see', ['GET', "/status/$hidden", user => 'bob'], 404,
    {%hidden, action => 'read', method => 'GET'});
told('nor to interrupt', ['POST', "/interrupt/$hidden", user => 'bob'], 404,
    {%hidden, action => 'interrupt', method => 'POST'});

# What would change something, if there were such a thing.
told('DELETE', ['DELETE', "/status/$done"], 405,
    {action => 'other', method => 'DELETE', pid => $done, outcome => 'method-not-allowed'});
told('POST of nothing', ['POST', '/runs', json => '1'], 405,
    {action => 'other', method => 'POST', outcome => 'method-not-allowed'});
told('POST to nowhere', ['POST', '/none', json => '1'], 404,
    {action => 'other', method => 'POST', outcome => 'not-found'});
told('a method that nobody knows', ['BREW', '/runs'], 405,
    {action => 'other', method => 'BREW', outcome => 'method-not-allowed'});

# What is not told of.
told('a status', ['GET', "/status/$done"], 200);
told('a list', ['GET', '/runs'], 200);
told('figures, with rows left out', ['GET', '/metrics', user => 'bob'], 200);
told('OPTIONS', ['OPTIONS', $run], 200);
told('HEAD changes nothing', ['HEAD', "/interrupt/$done"], 200);
told('a path that is none', ['GET', '/none'], 404);
told('a status of none', ['GET', "/status/$never"], 404);
told('outside of the base', ['POST', '/elsewhere', base => ''], 404);

# The other vhost has a log of its own, which has an ErrorDocument behind it.
run_end(post_run('noop', '{}', other => 1), other => 1);
api('POST', '/interrupt/x', other => 1);
my @there = $elsewhere->take(2);
is(join(' ', map { $_->{outcome} } @there), 'started unknown-run', 'another vhost has its own log');
is(join(' ', map { $_->{status} } @there), '202 404', 'with the statuses that were answered');
like($there[0]{vhost}, qr/^other\.example:/, 'and its name');

# Whatever somebody calls himself. httpd passes some of these over before it asks for a password.
my %names = (
    'quotes and controls'  => "a\"b\\c\td\x01",
    'a line of its own'    => "a\n{\"user\":\"forged\"}\n",
    'bytes that are no UTF-8' => "\xff\xfe\xc3",
    'a very long name'     => 'x' x 5000,
    'a long name of bytes that need most' => "\x01" x 1500,
    'and of such as are none' => "\xff" x 1500,
);
for my $name (sort keys %names) {
    api('GET', '/runs', user => $names{$name}, password => 'sesame');
    my @lines = $audit->take(1);
    is(scalar @lines, 1, "$name: one line");
    is($lines[0]{status}, 401, "$name: which is the refusal");
}
api('A' x 3000, '/runs');
my ($cut) = $audit->take(1);
like($cut->{method}, qr/^A+$/, 'a long method is cut');

# A request that has a line in the error log is found there by its id.
api('GET', "/status/$hidden", user => 'bob');
my ($line) = $audit->take(1);
like($line->{requestId}, qr/^\S+$/, 'it has an id');

# Many at a time: each line whole, and none lost.
my ($clients, $each) = (8, 60);
my @pids = map {
    my $number = $_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        my $client = client(user => "client-$number-" . 'y' x 300, password => 'x', keep => 1);
        my $ok = eval { $client->request('POST', "/cw/api/v2$run", body => $_) for 1 .. $each; 1 };
        POSIX::_exit($ok ? 0 : 1);
    }
    $pid;
} 1 .. $clients;
my $failed = grep { waitpid($_, 0); $? != 0 } @pids;
is($failed, 0, 'the clients are done');
my %count;
$count{$_->{user} =~ s/y+//r}++ for $audit->take($clients * $each);
is_deeply(\%count, {map { ("client-$_-" => $each) } 1 .. $clients}, 'every line of every client, once');

# Nothing that is secret.
open my $in, '<', $file or die "$file: $!\n";
my $text = do { local $/ = undef; <$in> };
unlike($text, qr/wonderland|builder|not-my-password|sesame|in the body/, 'no password, and no body');
is((stat $file)[2] & 07007, 0, 'nobody else may read it');

done(
    qr/AH01618: user .* not found/,
    qr/AH01617: user alice: authentication failure/,
    qr/AH01631: user bob: authorization failure/,
    qr/AH00135: Invalid method in request/,
);

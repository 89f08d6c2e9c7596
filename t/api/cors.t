#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# DbsyncWfCorsOrigins: a named origin's scripts may use the API from a browser, with credentials, and
# read whatever is answered. Nobody else's may, and without the directive nothing tells of it.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(server_var);
use WfHttp ();
use WfHttpd ();
use WfTest;

my $users = server_var('t_state') . '/users';
my ($named, $second) = ('https://console.example.com', 'http://localhost:3000');
my $httpd = WfHttpd->new('cors');

sub base
{
    my ($path, @lines) = @_;
    return join "\n", qq(<Location "$path">), 'SetHandler dbsync-wf', 'AuthType Basic',
        'AuthName "DBSync workflows"', qq(AuthUserFile "$users"), 'Require valid-user', @lines,
        "</Location>\n";
}

my $here = "127.0.0.1:$httpd->{port}";
$httpd->configure(join '', base('/named', "DbsyncWfCorsOrigins $named $second"),
    base('/named/inner', 'DbsyncWfCorsOrigins none'), base('/off'),
    base('/if', qq(<If "%{QUERY_STRING} =~ /x/">\nDbsyncWfCorsOrigins $named\n</If>)),
    "<VirtualHost $here>\nServerName localhost\n</VirtualHost>\n",
    "<VirtualHost $here>\nServerName other.example\n",
    "<Location \"/named\">\nDbsyncWfCorsOrigins https://other.example.com\n</Location>\n</VirtualHost>\n");
$httpd->start;

# One request; options as WfHttp's, and `user` (alice; undef: no credentials) and `origin`.
sub ask
{
    my ($method, $path, %option) = @_;
    my $user = exists $option{user} ? delete $option{user} : 'alice';
    my $origin = delete $option{origin};
    $option{headers} = {%{$option{headers} // {}}, Origin => $origin} if defined $origin;
    return WfHttp->new(port => $httpd->{port}, user => $user, password => 'wonderland')
        ->request($method, $path, %option);
}

my @cors = map {"Access-Control-$_"} qw(Allow-Origin Allow-Credentials Allow-Methods Allow-Headers Max-Age
    Expose-Headers);

# That an answer has nothing of ours on it.
sub is_silent
{
    my ($answer, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(join(' ', grep { defined $answer->header($_) } @cors), '', "$name: nothing is said");
    return;
}

# That it may be read by scripts of an origin.
sub is_readable
{
    my ($answer, $origin, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($answer->header('Access-Control-Allow-Origin'), $origin, "$name: the origin");
    is($answer->header('Access-Control-Allow-Credentials'), 'true', "$name: credentials");
    like($answer->header('Vary') // '', qr/\bOrigin\b/, "$name: Vary");
    like($answer->header('Access-Control-Expose-Headers') // '', qr/\b$_\b/, "$name: $_ may be read")
        for qw(ETag Location Retry-After Idempotency-Replayed);
    return;
}

# A preflight, which has no credentials.
sub preflight
{
    my ($path, $origin, %headers) = @_;
    return ask('OPTIONS', $path, user => undef, origin => $origin,
        headers => {'Access-Control-Request-Method' => 'POST', %headers});
}

my $run = '/projects/600/tasks/noop/run?trigger=API';
for my $origin ($named, $second) {
    for my $path ($run, '/status/x', '/no/such/endpoint', '') {
        my $answer = preflight("/named$path", $origin,
            'Access-Control-Request-Headers' => 'content-type,idempotency-key');
        my $name = "a preflight of $origin for \"$path\"";
        is($answer->status, 204, $name);
        is($answer->body, '', "$name: no body");
        is($answer->header('Access-Control-Allow-Origin'), $origin, "$name: the origin");
        is($answer->header('Access-Control-Allow-Credentials'), 'true', "$name: credentials");
        like($answer->header('Access-Control-Allow-Methods'), qr/\b$_\b/, "$name: $_")
            for qw(GET HEAD POST);
        like($answer->header('Access-Control-Allow-Headers'), qr/\b$_\b/, "$name: $_")
            for qw(Authorization Content-Type Idempotency-Key If-None-Match Last-Event-ID);
        is($answer->header('Access-Control-Max-Age'), 600, "$name: how long it holds");
        like($answer->header('Vary'), qr/\bOrigin\b/, "$name: Vary");
        is($answer->header($_), undef, "$name: no $_")
            for qw(WWW-Authenticate Allow Access-Control-Expose-Headers);
    }
}
my $kept = WfHttp->new(port => $httpd->{port}, keep => 1);
is($kept->request('OPTIONS', "/named$run", body => 'x' x 5000, headers => {Origin => $named,
    'Access-Control-Request-Method' => 'POST'})->status, 204, 'a preflight with a body, on a connection')
    for 1 .. 2;

# Whatever is not just that goes the way that it went.
my @others = (
    ['another origin',          "/named$run", 'https://evil.example'],
    ['a longer name',           "/named$run", "$named.evil.example"],
    ['a shorter one',           "/named$run", 'https://console.example.co'],
    ['another scheme',          "/named$run", 'http://console.example.com'],
    ['another port',            "/named$run", "$named:8443"],
    ['another case',            "/named$run", uc $named],
    ['two origins',             "/named$run", "$named, $second"],
    ['no origin',               "/named$run", ''],
    ['null',                    "/named$run", 'null'],
    ['an inner section',        '/named/inner/status/x', $named],
    ['a base without origins',  "/off$run",   $named],
    ['a section that does not apply', "/if/status/x", $named],
);
for my $case (@others) {
    my ($name, $path, $origin) = @{$case};
    my $answer = preflight($path, $origin);
    is($answer->status, 401, "$name: a preflight is asked for credentials");
    is_silent($answer, $name);
    $answer = ask('GET', $path =~ s/\?.*//r, origin => $origin);
    is_silent($answer, "$name, GET");
    is(lc($answer->header('Vary') // ''), $path =~ m{^/named/(?!inner)} ? 'origin' : '', "$name: Vary");
}
is(preflight('/if/status/x?x', $named)->status, 204, 'a section that applies');
is(preflight("/named$run", $named, Host => 'other.example')->status, 401, 'another vhost has its own');
is(preflight("/named$run", 'https://other.example.com', Host => 'other.example')->status, 204,
    'which is named there');
is(preflight("/named$run", $named, 'Access-Control-Request-Method' => undef)->status, 401,
    'OPTIONS that is no preflight');
is(preflight("/named$run", $named, 'Access-Control-Request-Method' => '')->status, 401,
    'nor with an empty method');
my $options = preflight("/named$run", $named, Authorization => 'Basic YWxpY2U6d29uZGVybGFuZA==');
is($options->status, 200, 'nor with credentials');
is($options->header('Allow'), 'POST, OPTIONS', 'but what it was');
is(preflight('/elsewhere', $named)->status, 200, 'elsewhere httpd answers');
is_silent(preflight('/elsewhere', $named), 'elsewhere');

# What is answered may be read, errors too.
my $pid = ask('POST', "/named$run", origin => $named, body => '{}', type => 'application/json');
is($pid->status, 202, 'a run');
is_readable($pid, $named, 'a run');
$pid = $pid->json->{pid};
$httpd->run_end($pid);
my $status = ask('GET', "/named/status/$pid", origin => $second);
is_readable($status, $second, 'a status');
my $known = ask('GET', "/named/status/$pid", origin => $named,
    headers => {'If-None-Match' => $status->header('ETag')});
is($known->status, 304, 'a status that is known');
is_readable($known, $named, 'a status that is known');
for my $case (
    [401, 'GET', "/named/status/$pid", user => undef], [404, 'GET', '/named/status/x'],
    [405, 'PUT', "/named$run"], [409, 'POST', "/named/interrupt/$pid"],
    [415, 'POST', "/named$run", body => '{}', type => 'text/plain'],
    [400, 'POST', "/named$run", body => '{', type => 'application/json'],
) {
    my ($expected, $method, $path, %option) = @{$case};
    my $answer = ask($method, $path, %option, origin => $named);
    is($answer->status, $expected, "an error, $expected");
    is($answer->header('Content-Type'), 'application/problem+json', "$expected: a problem document");
    is_readable($answer, $named, $expected);
}

# An interrupt from another site: a named origin's script may; its images and forms may not.
my $long = ask('POST', '/named/projects/600/tasks/long/run?trigger=API', body => '{}',
    type => 'application/json')->json->{pid};
my %script = ('Sec-Fetch-Site' => 'cross-site', 'Sec-Fetch-Mode' => 'cors', 'Sec-Fetch-Dest' => 'empty');
my @refused = (
    ['an image',               '/named', undef,  {%script, 'Sec-Fetch-Mode' => 'no-cors',
        'Sec-Fetch-Dest' => 'image'}],
    ['an image with an origin', '/named', $named, {%script, 'Sec-Fetch-Dest' => 'image'}],
    ['a form',                 '/named', $named, {%script, 'Sec-Fetch-Mode' => 'navigate',
        'Sec-Fetch-Dest' => 'document'}],
    ['a script without CORS',  '/named', $named, {%script, 'Sec-Fetch-Mode' => 'no-cors'}],
    ['a script ahead of its user', '/named', $named, {%script, 'Sec-Purpose' => 'prefetch'}],
    ['a mark without the others', '/named', $named, {'Sec-Fetch-Site' => 'cross-site'}],
    ['another origin\'s script', '/named', 'https://evil.example', {%script}],
    ['a script where none is named', '/off', $named, {%script}],
);
for my $case (@refused) {
    my ($name, $base, $origin, $headers) = @{$case};
    for my $method ('GET', 'POST') {
        my $answer = ask($method, "$base/interrupt/$long", origin => $origin, headers => $headers);
        is($answer->status, 403, "$name: $method is refused");
        like($answer->body, qr/cross-site/, "$name: $method, for that");
    }
}
ok(!exists $httpd->run_get($long)->{interruptTime}, 'nobody has interrupted it');
is(ask('GET', "/named/interrupt/$long", origin => $named, headers => {%script})->status, 202,
    'a named origin\'s script may');
is($httpd->run_end($long)->{status}, 'interrupted', 'and that ends it');
$httpd->stop;

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The action rest against services of the test's own: what they get, what becomes of their answers,
# whom credentials reach, TLS, repeated attempts, and an interrupt while nobody answers.
use strict;
use warnings FATAL => 'all';
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes qw(time);
use WfConfig qw(server_var);
use WfService;
use WfTest;

my $json = JSON::PP->new->canonical;
my $here = WfService->new(server_var('service_port'), state_file('rest.here'));
my $elsewhere = WfService->new(server_var('elsewhere_port'), state_file('rest.elsewhere'));
my $there = 'http://127.0.0.1:' . server_var('elsewhere_port');

sub write_file
{
    my ($name, $text) = @_;
    open my $out, '>', server_var('t_state') . "/$name" or die "$name: $!\n";
    print {$out} $text;
    close $out or die "$name: $!\n";
    return;
}

# ends_as(NAME, STATUS, TASK, PAYLOAD): the run; the services have then noted its requests alone.
sub ends_as
{
    my ($name, $status, $task, $payload) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $_->forget for $here, $elsewhere;
    return run_ends_as($name, $status, $task, $json->encode($payload // {}), project => '607');
}

# fails_as(NAME, TYPE, DETAIL, TASK, PAYLOAD): tests the error too.
sub fails_as
{
    my ($name, $type, $detail, $task, $payload) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $run = ends_as($name, 'error', $task, $payload);
    is($run->{error}{type}, $type, "$name: its type");
    like($run->{error}{detail}, $detail, "$name: its detail");
    unlike($run->{error}{detail}, qr{sesame|secret-token|4711|\Q@{[test_dir()]}\E|\?\w+=},
        "$name: no secret, path or query in it");
    return $run;
}

# Requests.
my %payload = (id => 7, name => 'Jane', q => 'a&b=c /d');
my $run = ends_as('GET', 'completed', 'get', \%payload);
my $sent = $run->{result}{body};
is($run->{result}{status}, 200, 'the status is in the result');
is($run->{result}{headers}{'x-service'}, 'here', 'and the headers');
is($sent->{method}, 'GET', 'the method');
is($sent->{target}, '/echo/7/orders?q=a%26b%3Dc%20%2Fd', 'path and query');
is($sent->{headers}{'x-name'}, 'Jane', 'a header of the action');
is($sent->{headers}{'x-client'}, 'tests', 'a header of the connector');
is($sent->{body}, '', 'no body');
ok(!exists $sent->{headers}{authorization}, 'no credentials');
is($run->{actions}[0]{httpStatus}, 200, 'the action shows the status');

$sent = ends_as('PUT', 'completed', 'put', \%payload)->{result}{body};
is($sent->{method}, 'PUT', 'the method');
is($sent->{body}, '{"id":7,"customer":{"name":"Jane"},"items":["a&b=c /d",1]}', 'a body by mapping');
is($sent->{headers}{'content-type'}, 'application/json', 'its type');
$sent = ends_as('PATCH', 'completed', 'patch', \%payload)->{result}{body};
is("$sent->{method} $sent->{headers}{'content-type'} $sent->{body}",
    'PATCH application/merge-patch+json {"name":"Jane"}', 'a type of its own');
$sent = ends_as('POST', 'completed', 'post-text', \%payload)->{result}{body};
is("$sent->{method} $sent->{headers}{'content-type'} $sent->{body}",
    'POST text/plain; charset=utf-8 n=Jane', 'a body of text');
$sent = ends_as('DELETE', 'completed', 'delete', \%payload)->{result}{body};
is("$sent->{method} $sent->{target}", 'DELETE /echo/7', 'method and path');
is(ends_as('HEAD', 'completed', 'head')->{result}{body}, undef, 'no body comes back');
is(($here->requests)[0]{method}, 'HEAD', 'the method');
is(ends_as('an answer that is no JSON', 'completed', 'text')->{result}{body}, "a < b\n",
    'is a string');

# Data stays data.
for my $id ('../admin', '/', 'a?b', '#', '%2F', "\r\nX: y", '@evil.example') {
    my $text = $json->allow_nonref->encode($id);
    $run = ends_as("a segment of $text", 'completed', 'get', {%payload, id => $id});
    like($run->{result}{body}{target}, qr{^/echo/[^/?#]+/orders\?q=}, 'stays one');
}
for my $id ('..', '.', '', undef) {
    fails_as('no segment: ' . $json->allow_nonref->encode($id), 'mapping-failed',
        qr/the path of action "rest" would have a segment/, 'delete', {id => $id});
    is(scalar $here->requests, 0, 'and nothing is sent');
}
for my $name ("a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b") {
    fails_as('a header that breaks out', 'mapping-failed',
        qr/header X-Name of action "rest" would hold a line break/, 'get', {%payload, name => $name});
    is(scalar $here->requests, 0, 'nothing is sent');
}

# Credentials, which are read when they are used.
write_file('rest.password', "open sesame\n");
write_file('rest.token', "secret-token\n");
$sent = ends_as('Basic authentication', 'completed', 'basic')->{result}{body};
is($sent->{headers}{authorization}, 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==', 'the credentials');
is($sent->{target}, '/echo', 'the connector\'s URL alone');
write_file('rest.password', "changed");
is(ends_as('a password that has changed', 'completed', 'basic')->{result}{body}{headers}{authorization},
    'Basic QWxhZGRpbjpjaGFuZ2Vk', 'is taken up');
unlink server_var('t_state') . '/rest.password' or die "$!\n";
fails_as('a password that is not there', 'connector-failed',
    qr/^the password of connector "basic" cannot be read/, 'basic');
is(scalar $here->requests, 0, 'nothing is sent without it');
$sent = ends_as('a bearer token', 'completed', 'bearer')->{result}{body};
is($sent->{headers}{authorization}, 'Bearer secret-token', 'the token');

# Redirects.
$run = ends_as('a redirect to another host that is allowed', 'completed', 'away', {to => "$there/echo"});
my ($first, @more) = $here->requests;
is($first->{headers}{authorization}, 'Bearer secret-token', 'the service gets the credentials');
is(scalar @more, 0, 'and one request');
my @strange = $elsewhere->requests;
is(scalar @strange, 1, 'the other host gets one request');
is_deeply([grep { exists $strange[0]{headers}{$_} } qw(authorization cookie x-api-key x-mine)], [],
    'without credentials');
is($run->{result}{body}{target}, '/echo', 'whose answer it is');
$run = ends_as('and back again', 'completed', 'away',
    {to => "$there/away?http://127.0.0.1:" . server_var('service_port') . '/echo'});
ok(!exists $run->{result}{body}{headers}{authorization}, 'still without credentials');
fails_as('a redirect to another host', 'rest-failed',
    qr/answered with status 302, a redirect to a host that the connector's "hosts" does not have/,
    'away-strict', {to => "$there/echo"});
is(scalar $elsewhere->requests, 0, 'which gets nothing');
fails_as('a redirect to a file', 'rest-failed', qr/302, a redirect to what is no http or https URL/,
    'away', {to => 'file:///etc/passwd'});

# What is tried again.
my $began = time;
$run = ends_as('503 with Retry-After', 'completed', 'flaky');
cmp_ok(time - $began, '>=', 0.95, 'that time is waited');
is(scalar $here->requests, 2, 'and the second request is the last');
is($run->{actions}[0]{requests}, 2, 'the action counts them');
$run = fails_as('503 for ever', 'rest-failed',
    qr/^action "rest": GET by connector "plain" was answered with status 503 \(the last of 3 requests\): busy$/,
    'down');
is(scalar $here->requests, 3, 'three attempts');
fails_as('503, one attempt', 'rest-failed', qr/status 503: busy$/, 'down-once');
is(scalar $here->requests, 1, 'one request');
fails_as('503 to a POST', 'rest-failed', qr/status 503: busy$/, 'down-post', {id => 7});
is(scalar $here->requests, 1, 'one request');
fails_as('503 to a POST with a key', 'rest-failed', qr/the last of 3 requests/, 'down-post-key', {id => 7});
is_deeply([map { $_->{headers}{'idempotency-key'} } $here->requests], [('order-7') x 3],
    'three requests with one key');
fails_as('nobody there', 'connector-failed',
    qr/failed \(the last of 2 requests\): Failed to connect to 127\.0\.0\.1 port 1/, 'nobody');

# Time and size.
$began = time;
fails_as('a slow answer', 'connector-failed', qr/failed: Operation timed out/, 'hasty');
cmp_ok(time - $began, '>=', 0.95, 'not before its time');
cmp_ok(time - $began, '<', 4, 'soon after it');
$run = ends_as('a task\'s timeout', 'error', 'silent-timeout');
is($run->{error}{type}, 'timeout', 'its type');
fails_as('a huge answer', 'rest-failed', qr/the answer is longer than the 8388608 bytes/, 'huge');

# An interrupt, while nothing is answered and while it trickles in.
for my $task ('silent', 'drip') {
    $here->forget;
    my $pid = post_run($task, '{}', project => '607');
    wait_for("the request of $task", 20, sub { scalar $here->requests });
    $began = time;
    is(api('POST', "/interrupt/$pid")->status, 202, "$task: the interrupt is accepted");
    is(run_end($pid)->{status}, 'interrupted', "$task: it ends so");
    cmp_ok(time - $began, '<', 1, "$task: within a second");
}

# TLS.
sub openssl
{
    my (@arguments) = @_;
    my $said = qx(cd '@{[server_var('t_state')]}' && openssl @arguments 2>&1);
    die "openssl @arguments: $said\n" if $?;
    return;
}

my $key = '-newkey rsa:2048 -nodes';
openssl("req -x509 $key -keyout rest-ca.key -out rest-ca.pem -days 2 -subj '/CN=tests'");
openssl("req $key -keyout rest.key -out rest.csr -subj '/CN=service'");
write_file('rest.ext', "subjectAltName=IP:127.0.0.1\n");
openssl('x509 -req -in rest.csr -CA rest-ca.pem -CAkey rest-ca.key -CAcreateserial -days 2'
        . ' -extfile rest.ext -out rest.pem');
my $tls = fork // die "fork: $!\n";
if ($tls == 0) {
    chdir server_var('t_state') or POSIX::_exit(1);
    open STDOUT, '>', 'rest-tls.log';
    open STDERR, '>&', \*STDOUT;
    exec qw(openssl s_server -www -cert rest.pem -key rest.key -accept),
        '127.0.0.1:' . server_var('tls_port') or POSIX::_exit(1);
}
END {
    if ($tls && kill 0, $tls) {
        local $?;
        kill 'KILL', $tls;
        waitpid $tls, 0;
    }
}
wait_for('the TLS service', 20,
    sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => server_var('tls_port')) });
$run = ends_as('a certificate of a CA that is trusted', 'completed', 'tls');
like($run->{result}{body}, qr/TLSv1\.[23]/, 'the answer came over TLS');
fails_as('a certificate of a stranger', 'connector-failed',
    qr/failed: SSL certificate problem: /, 'tls-stranger');
fails_as('a certificate of another name', 'connector-failed',
    qr/failed: SSL: no alternative certificate subject name matches/, 'tls-name');
fails_as('a file of certificates that is not there', 'connector-failed',
    qr/failed: Problem with the SSL CA cert/, 'tls-no-file');

done(qr/WF0270: connector basic: the password cannot be read/, qr/WF0343: the certificates of/);

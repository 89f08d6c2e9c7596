#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# dbsync-wf where answers get lost or the server is busy: what may be repeated is, for a bounded time,
# and a run that is repeated is one run.
use strict;
use warnings FATAL => 'all';
use IO::Socket::INET ();
use Time::HiRes qw(time);
use WfCommand qw(command command_home);
use WfConfig qw(server_var);
use WfStub ();
use WfTest;

my $home = command_home();
my $RUN = '{"pid": "p-1", "status": "submitted"}';

sub stub { return WfStub->new("$home/requests", @_) }

sub key_of { return $_[0] =~ /^Idempotency-Key: (\S+)\r$/m ? $1 : 'none' }

# Closed without an answer, busy twice, accepted.
{
    my $stub = stub(sub {
        my ($count) = @_;
        return if $count == 0;
        return WfStub::answer(503, '{"title": "The store is away"}', 'Retry-After: 0') if $count == 1;
        return WfStub::answer(502, '<html>') if $count == 2;
        return WfStub::answer(202, $RUN);
    });
    my $is = command(['run', 'a', 'b', '-d', '{"n": 1}', '--url', $stub->url]);
    is($is->code, 0, 'run is repeated');
    is($is->out, "p-1\n", 'until there is a pid');
    like($is->err, qr/\Adbsync-wf: [^\n]*; trying again for \d+ s\n\z/, 'which is told once');
    my @requests = $stub->requests;
    is(scalar @requests, 4, 'no more often than needed');
    is(scalar keys %{{map { $_ => 1 } @requests}}, 1, 'and each request is the same, byte for byte');
    like(key_of($requests[0]), qr/^[0-9a-f]{32}$/, 'with a key');
    like($requests[0], qr{^POST /base/projects/a/tasks/b/run\?trigger=API .*\r\n\r\n\{"n": 1\}\z}s, 'and the body');
}

# Bounded.
{
    my $stub = stub(sub { WfStub::answer(503, '{}', 'Retry-After: 3600') });
    my $begin = time;
    my $is = command(['run', 'a', 'b', '--retry', 5, '--url', $stub->url]);
    is($is->code, 6, 'a server that stays busy');
    cmp_ok(time - $begin, '<', 40, 'is not asked for ever');
    is(scalar $stub->requests, 2, 'nor more often than it said');
    my ($key) = $is->err =~ /with --key (\S+)$/m;
    is($key, key_of(($stub->requests)[0]), 'and the key to repeat it with is told');
}
for my $case (['a refusal', 409, 5, qr/\(409\): why/], ['a failure', 500, 6, qr/\(500\): why/],
    ['a full queue', 429, 5, qr/\(429\): why/], ['another place', 302, 5, qr/302/]) {
    my ($name, $status, $code, $said) = @{$case};
    my $stub = stub(sub { WfStub::answer($status, '{"title": "No", "detail": "why"}') });
    my $is = command(['run', 'a', 'b', '--url', $stub->url]);
    is($is->code, $code, "$name: exit code");
    like($is->err, $said, "$name: is told");
    is(scalar $stub->requests, 1, "$name: is not repeated");
}
for my $case (['no JSON', '<html>'], ['no object', '[]'], ['half an object', '{"pid": ']) {
    my $stub = stub(sub { WfStub::answer(202, $case->[1]) });
    my $is = command(['run', 'a', 'b', '--url', $stub->url]);
    is($is->code, 6, "$case->[0]: exit code");
    like($is->err, qr/does not answer as the API does/, "$case->[0]: is told");
}
{
    my $stub = stub(sub { "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n$RUN" });
    my $is = command(['status', 'x', '--url', $stub->url]);
    is($is->code, 6, 'an answer that breaks off is none');
}

{
    my $stub = stub(sub { WfStub::answer(202, '{}') });
    my $is = command(['run', 'a', 'b', '--wait', '--url', $stub->url]);
    is($is->code . $is->err, "6dbsync-wf: the answer has no pid\n", 'an answer without a pid is none');
}

# An answer that is lost after the real server has accepted the run.
{
    my $port = server_var('port');
    my $stub = stub(sub {
        my ($count, $request) = @_;
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or return;
        syswrite $socket, $request =~ s{ /base/}{ /cw/api/v2/}r =~ s{\r\n\r\n}{\r\nConnection: close\r\n\r\n}r;
        my $answer = do { local $/ = undef; <$socket> };
        return $count < 2 ? undef : $answer;
    });
    my $before = @{api('GET', '/runs?project=600&task=hash&limit=500')->json->{runs}};
    my $is = command(['run', '600', 'hash', '--url', $stub->url]);
    is($is->code, 0, 'two answers are lost');
    is(scalar $stub->requests, 3, 'three requests are sent');
    my @runs = @{api('GET', '/runs?project=600&task=hash&limit=500')->json->{runs}};
    is(@runs - $before, 1, 'and one run is started');
    is($is->out, "$runs[0]{pid}\n", 'whose pid is told');
}

# Waiting lives through it, and does not ask a server that has its hands full the more.
{
    my $stub = stub(sub {
        my ($count, $request) = @_;
        return WfStub::answer(400, '{"title": "No", "detail": "from 0 to 5"}') if $request =~ /\?wait=([6-9]|\d\d)/;
        return if $count == 3;
        return WfStub::answer(200, $count < 5 ? $RUN : '{"pid": "p-1", "status": "error"}');
    });
    my $begin = time;
    my $is = command(['wait', 'p-1', '--url', $stub->url]);
    is($is->code, 1, 'wait, with a lost answer and a lower DbsyncWfMaxWait');
    my @waits = map { m{\?wait=(\d+)} } $stub->requests;
    is("@waits", '30 15 7 3 3 3', 'asks for less, once');
    cmp_ok(time - $begin, '>=', 1, 'and no faster than once a second');
}

# Reads are not repeated, and say so at once.
{
    my $stub = stub(sub { WfStub::answer(503, '{"title": "Away"}', 'Retry-After: 1') });
    for my $command (['status', 'x'], ['runs'], ['projects'], ['logs', 'x']) {
        my $is = command([@{$command}, '--url', $stub->url]);
        is($is->code, 6, "$command->[0]: exit code");
        is($is->err, "dbsync-wf: Away (503)\n", "$command->[0]: stderr");
    }
    is(scalar $stub->requests, 4, 'one request each');
}

# A run's output, as it comes; and the rest of it where the connection is lost.
{
    my $text = "first\nsecond \e[2J\xff\n";
    my $stub = stub(sub {
        my ($count, $request) = @_;
        my $whole = $text . "third\n";
        return WfStub::answer(200, $whole) if $request !~ /follow=1/;
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" . sprintf("%x\r\n%s\r\n", length $text, $text)
            if $count % 2;
        return WfStub::answer(200, $whole);
    });
    my @logs = ('logs', 'a b', '--url', $stub->url);
    is(command(\@logs)->out, "${text}third\n", 'logs: off a terminal its bytes');
    is(command([@logs, '--follow'])->out, "${text}third\n", 'with --follow all of them once, over two connections');
    is(command(\@logs, tty => 1)->out, "first\nsecond \\u001b[2J\\xFF\nthird\n", 'on a terminal what can be printed');
    my @targets = map { (split / /)[1] } $stub->requests;
    is("@targets", '/base/logs/a%20b /base/logs/a%20b?follow=1 /base/logs/a%20b?follow=1 /base/logs/a%20b', 'as asked for');
}

# Projects, page by page, and the tasks of one.
{
    my @pages = ('{"projects": [{"projectId": "569", "name": "CRM"}], "next": "569"}',
        '{"projects": [{"projectId": "570", "name": "Orders", "broken": true}, {"projectId": "571", "broken": true}]}');
    my $stub = stub(sub {
        my ($count, $request) = @_;
        return WfStub::answer(200, '{"projectId": "569", "tasks": [{"taskId": "12", "name": "Up\u001bsert"}]}')
            if $request =~ m{/projects/};
        return WfStub::answer(200, $pages[$request =~ /cursor=569 / ? 1 : 0]);
    });
    my @url = ('--url', $stub->url);
    is(command(['projects', @url])->out, "PROJECT  NAME\n569      CRM\n"
        . "570      Orders (its file is broken)\n571      (its file is broken)\n", 'projects');
    is(command(['projects', '--json', @url])->out, "$pages[0]\n$pages[1]\n", 'projects --json');
    is(command(['projects', '569', @url])->out, "TASK  NAME\n12    Up\\u001bsert\n", 'the tasks of one');
    is(command(['projects', 'a', 'b', @url])->code, 2, 'two are too many');
}

done();

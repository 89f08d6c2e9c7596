#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /logs/{pid}?follow=1: what a run has put out, and each line as it comes, until it has ended.
use strict;
use warnings FATAL => 'all';
use IO::Select ();
use Time::HiRes qw(time);
use WfTest;

my $TIME = qr/\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\]/;
my $LONG = 20;    # seconds that no answer here may take

# A client that has asked for a log. Without chunks (HTTP/1.0) its buffer is what it was sent.
sub begin
{
    my ($path, %option) = @_;
    my $client = client(map { exists $option{$_} ? ($_ => delete $option{$_}) : () } qw(user));
    $client->ask('GET', ($option{base} // '/cw/api/v2') . $path, protocol => $option{protocol} // 'HTTP/1.0');
    return $client;
}

# Reads until what it was sent matches; gives it.
sub until_sent
{
    my ($client, $pattern) = @_;
    $client->{deadline} = time + $LONG;
    while ($client->{buffer} !~ $pattern) {
        $client->_fill or die "the log ends before $pattern: $client->{buffer}\n";
    }
    return $client->{buffer};
}

sub touch
{
    my ($file) = @_;
    open my $out, '>', $file or die "$file: $!\n";
    close $out or die "$file: $!\n";
    return;
}

# A run that has ended: all at once.
my $done = run_ends_as('one that ended', 'error', 'code')->{pid};
my $whole = api('GET', "/logs/$done")->body;
my $began = time;
my $answer = api('GET', "/logs/$done?follow=1");
is($answer->body, $whole, 'the log of a run that has ended is sent');
cmp_ok(time - $began, '<', $LONG, 'and ends at once');
my %headers = (
    'Content-Type'           => 'text/plain; charset=utf-8',
    'Content-Disposition'    => "inline; filename=\"$done.log\"",
    'X-Content-Type-Options' => 'nosniff',
    'Cache-Control'          => 'no-store',
    'Content-Length'         => undef,
    'ETag'                   => undef,
);
my $length = length $whole;
my $bad = qr/^offset must be a number of bytes\.$/;
rows(
    ['its headers', ['GET', "/logs/$done?follow=1"], 200, headers => \%headers],
    ['HEAD', ['HEAD', "/logs/$done?follow=1"], 200, headers => \%headers, empty => 1],
    ['behind its end', ['GET', "/logs/$done?follow=1&offset=$length"], 200, empty => 1],
    ['far behind', ['GET', "/logs/$done?follow=1&offset=999999999999999999"], 200, empty => 1],
    ['not followed', ['GET', "/logs/$done?follow=0"], 200, headers => {'Content-Length' => $length}],
    ['an offset of none', ['GET', "/logs/$done?offset=x"], 200, headers => {'Content-Length' => $length}],
    (map { ["follow=$_", ['GET', "/logs/$done?follow=$_"], 400, problem => 'bad-request',
        detail => qr/^follow must be 0 or 1\.$/] } '2', '', 'yes', '1&follow=0', '%zz'),
    (map { ["offset=$_", ['GET', "/logs/$done?follow=1&offset=$_"], 400, problem => 'bad-request',
        detail => $bad] } '', '-1', '+1', '1x', '1.5', '0x1', '9' x 19, '1&offset=2'),
    ['a run that never was', ['GET', '/logs/0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a?follow=1'], 404,
        problem => 'unknown-run'],
);
is(api('GET', "/logs/$done?follow=1&offset=10")->body, substr($whole, 10), 'from an offset on');
is(api('GET', "/logs/$done?follow=1", headers => {'Range' => 'bytes=0-1'})->body, $whole, 'a range has no say');

# A run that goes on.
my $file = state_file('logs-follow');
my $pid = post_run('until', '{"file": "logs-follow"}');
my @clients = map { begin("/logs/$pid?follow=1", %{$_}) } {}, {base => '/api/v2'}, {user => 'bob'};
my $chunked = begin("/logs/$pid?follow=1", protocol => 'HTTP/1.1');
until_sent($_, qr/begins\none\n$/) for @clients;
pass('a line is there while its program runs');
my $late = begin("/logs/$pid?follow=1&offset=" . length api('GET', "/logs/$pid")->body);
ok(!$_->is_answered(0.2), 'nothing is sent where nothing is to be said') for $late;
touch($file);
my $end = qr/\ntwo\n$TIME main \/ print \(exec\) ends: completed\n$TIME main \/ say \(debug\) begins\nthree: logs-follow\n.*ends: completed\n$/;
until_sent($_, $end) for @clients;
pass('the rest of it comes by itself');
$whole = api('GET', "/logs/$pid")->body;
for my $client (@clients, $late) {
    $client->{deadline} = time + $LONG;
    1 while $client->_fill;
    pass('and then it ends by itself');
}
is($_->{buffer} =~ s/^.*?\r\n\r\n//sr, $whole, 'and was the log') for @clients;
is($chunked->answer->body, $whole, 'in chunks, too');
like($late->{buffer}, qr/\r\n\r\ntwo\n$TIME main/, 'and from an offset on');

# A run that waits in the queue is followed from there, to an interrupt.
my $first = post_run('one');
wait_for('the start of the first', 10, sub { run_get($first)->{status} eq 'running' });
my $second = post_run('one');
my $client = begin("/logs/$second?follow=1");
ok(!$client->is_answered(0.2), 'nothing is sent of a run in the queue');
api('POST', "/interrupt/$first");
until_sent($client, qr/$TIME main \/ exec \(exec\) begins\n$/);
my $interrupted = begin("/logs/$second?follow=1");
until_sent($interrupted, qr/begins\n$/);
api('POST', "/interrupt/$second");
until_sent($_, qr/$TIME main \/ exec \(exec\) ends: interrupted\n$/) for $client, $interrupted;
pass('it is followed to its end');

# Who is not there any more holds no place, and whoever finds none is told what there is.
$pid = post_run('long');
for (1 .. 30) {
    $client = begin("/logs/$pid?follow=1");
    until_sent($client, qr/begins\n$/);
    $client->close;
}
$client = wait_for('a place', 10, sub {
    my $here = begin("/logs/$pid?follow=1");
    until_sent($here, qr/begins\n$/);
    IO::Select->new($here->{socket})->can_read(0.3) ? undef : $here;
});
api('POST', "/interrupt/$pid");
until_sent($client, qr/ends: interrupted\n$/);
pass('there is a place, and whoever has it is told on');

done();

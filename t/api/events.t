#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /status/{pid}/events: a run's states as server-sent events, each once and in order, the last one
# followed by "end"; a client that comes again with an event's id goes on behind that event.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Time::HiRes qw(time);
use WfEvents;
use WfTest;

my $LONG = 20;    # seconds that nothing here may take
my $NONE = '0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a';
my %STREAM = (
    'Content-Type'           => 'text/event-stream',
    'Cache-Control'          => 'no-store',
    'X-Accel-Buffering'      => 'no',
    'X-Content-Type-Options' => 'nosniff',
    'Content-Length'         => undef,
    'Content-Encoding'       => undef,
    'ETag'                   => undef,
);

sub statuses
{
    my @seen;
    for my $status (map { $_->{status} } @_) {
        push @seen, $status if !@seen || $seen[-1] ne $status;
    }
    return "@seen";
}

# Tests that the stream says "end", of that run and status, and then ends.
sub ends_as
{
    my ($events, $pid, $status, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $event = $events->event // {event => 'nothing'};
    is($event->{event}, 'end', "$name: the end");
    is_deeply(eval { JSON::PP->new->decode($event->{data}) }, {pid => $pid, status => $status}, 'with its status');
    ok(!exists $event->{id}, 'and no id, so that the last state\'s holds');
    is($events->block, undef, 'nothing is behind it');
    return;
}

# Something to read of at the end of this file: a stream that has nothing to say in the meantime.
my $quiet_pid = post_run('long-wait');
wait_for('its progress', 10, sub { run_get($quiet_pid)->{progress} });
my $quiet = WfEvents->open($quiet_pid);
is($quiet->run->{status}, 'running', 'the first event is there while the run goes on');

# A run that has ended: all at once.
my $done = run_ends_as('one that ended', 'completed', 'noop')->{pid};
my $etag = api('GET', "/status/$done")->header('ETag');
my ($last) = $etag =~ /^"([0-9a-f]{32})"$/ or die "no ETag: $etag\n";
{
    my $events = WfEvents->open($done);
    is($events->head->status, 200, 'a stream');
    is_deeply({map { $_ => $events->head->header($_) } sort keys %STREAM}, \%STREAM, 'with its headers');
    is_deeply($events->block, {retry => 2000}, 'when to connect again');
    my $event = $events->block;
    is($event->{event}, 'status', 'then the run');
    is($event->{id}, $last, 'whose id is the ETag of its status');
    is("$event->{data}\n", api('GET', "/status/$done")->body, 'and the data that answer');
    ends_as($events, $done, 'completed', 'it has ended');
}

# From the queue to an interrupt; each state once.
{
    my $first = post_run('one');
    wait_for('the start of the first', 10, sub { run_get($first)->{status} eq 'running' });
    my $second = post_run('one');
    my @streams = map { WfEvents->open($second, %{$_}) } {}, {base => '/api/v2'}, {user => 'bob'},
        {protocol => 'HTTP/1.0'};
    is($_->run->{status}, 'submitted', 'in the queue') for @streams;
    ok($_->is_silent(0.1), 'and nothing else is said') for @streams;
    api('POST', "/interrupt/$first");
    my @begun = map { [$_->runs_until('running')] } @streams;
    wait_for('its progress', 10, sub { run_get($second)->{progress} });
    is(api('POST', "/interrupt/$second")->status, 202, 'it is interrupted');
    for my $i (0 .. $#streams) {
        my @runs = (@{$begun[$i]}, $streams[$i]->runs_until('interrupted'));
        is(statuses(@runs), 'running interrupted', "stream $i: each status in its order");
        my %ids = map { $_->{-id} => 1 } @runs;
        is(scalar keys %ids, scalar @runs, 'no state twice');
        ends_as($streams[$i], $second, 'interrupted', "stream $i");
    }
    is($streams[3]->head->header('Transfer-Encoding'), undef, 'HTTP/1.0 gets no chunks');
}

# To its completion, with progress on the way.
{
    my $pid = post_run('second');
    my $events = WfEvents->open($pid);
    my @runs = $events->runs_until('completed');
    like(statuses(@runs), qr/^(?:submitted )?running completed$/, 'a run that completes');
    my $run = run_get($pid);
    my $told = $runs[-1];
    is(delete $told->{-id}, api('GET', "/status/$pid")->header('ETag') =~ tr/"//dr, 'the id of its end');
    is_deeply($told, $run, 'as its status is answered');
    ends_as($events, $pid, 'completed', 'completed');
}

# A result with line ends between its tokens.
{
    my $pid = run_end(post_run('echo', qq({"a":\r\n [1,\n2]\r}\n)))->{pid};
    my $event = WfEvents->open($pid)->event;
    is_deeply(JSON::PP->new->decode($event->{data})->{result}, {a => [1, 2]}, 'they do not end the event');
}

# Going on where one was.
{
    my $pid = post_run('long-wait');
    wait_for('its progress', 10, sub { run_get($pid)->{progress} });
    my $now = WfEvents->open($pid);
    my $id = $now->run->{-id};
    $now->close;
    my %stale = (query => '?lastEventId=' . '0' x 40);
    my @same = map { WfEvents->open($pid, %{$_}) } {id => $id}, {query => "?lastEventId=$id"},
        {id => $id, %stale};
    my @other = map { WfEvents->open($pid, %{$_}) } {%stale}, {id => ''}, {id => "${id}0"},
        {id => substr $id, 1}, {id => 'x' x 4000}, {id => '0' x 40, query => "?lastEventId=$id"};
    is_deeply($_->block, {retry => 2000}, 'a stream') for @same;
    ok($_->is_silent(0.1), 'with the present id, no event is repeated') for @same;
    is($_->run->{-id}, $id, 'with another one, the present state comes first') for @other;
    api('POST', "/interrupt/$pid");
    for my $events (@same, @other) {
        my @runs = $events->runs_until('interrupted');
        is(scalar(grep { $_->{-id} eq $id } @runs), 0, 'then what is new');
        ends_as($events, $pid, 'interrupted', 'and the end');
    }
}

# What may be asked for.
my $foreign = run_ends_as('alice\'s alone', 'completed', 'echo', '{}', project => '601')->{pid};
my @nothing = (204, empty => 1, headers => {'Content-Type' => undef, 'Content-Length' => undef,
    'Cache-Control' => 'no-store'});
rows(
    ['the last state is known', ['GET', "/status/$done/events", headers => {'Last-Event-ID' => $last}], @nothing],
    ['by an argument', ['GET', "/status/$done/events?lastEventId=$last"], @nothing],
    ['HEAD', ['HEAD', "/status/$done/events", headers => {'Last-Event-ID' => $last}], @nothing],
    ['an earlier one', ['GET', "/status/$done/events?lastEventId=" . '0' x 40], 200, headers => \%STREAM],
    ['HEAD of a run under way', ['HEAD', "/status/$quiet_pid/events"], 200, headers => \%STREAM, empty => 1],
    ['HEAD of one that has ended', ['HEAD', "/status/$done/events"], 200, headers => \%STREAM, empty => 1],
    ['a range', ['GET', "/status/$done/events", headers => {Range => 'bytes=0-3'}], 200, headers => \%STREAM],
    ['If-None-Match is no id', ['GET', "/status/$done/events", headers => {'If-None-Match' => $etag}], 200],
    (map { ["lastEventId=$_", ['GET', "/status/$done/events?lastEventId=$_"], 400, problem => 'bad-request',
        detail => qr/^lastEventId must/] } '%4', 'a&lastEventId=b'),
    ['a pid that never was', ['GET', "/status/$NONE/events"], 404, problem => 'unknown-run'],
    ['no pid', ['GET', '/status/x/events'], 404, problem => 'unknown-run'],
    ['another\'s', ['GET', "/status/$foreign/events", user => 'bob'], 404, problem => 'unknown-run'],
    ['another\'s, with its id', ['GET', "/status/$foreign/events", user => 'bob', headers => {'Last-Event-ID' =>
        api('GET', "/status/$foreign")->header('ETag') =~ tr/"//dr}], 404, problem => 'unknown-run'],
    ['one\'s own', ['GET', "/status/$foreign/events"], 200],
    ['another world\'s', ['GET', "/status/$done/events", other => 1], 404, problem => 'unknown-run'],
);

# A stream lasts no longer than it may, and says nothing that is not so. Compression leaves it alone.
{
    my $begin = time;
    my $events = WfEvents->open($quiet_pid, base => '/small');
    my $id = $events->run->{-id};
    is($events->block, undef, 'its time is up, and it ends without an end');
    cmp_ok(time - $begin, '>=', 0.99, 'not before');
    cmp_ok(time - $begin, '<', $LONG, 'nor much later');
    my %gzip = (base => '/packed', headers => {'Accept-Encoding' => 'gzip'});
    is(api('GET', "/status/$quiet_pid", %gzip)->header('Content-Encoding'), 'gzip', 'what is compressed here');
    $events = WfEvents->open($quiet_pid, %gzip);
    is($events->head->header('Content-Encoding'), undef, 'is no stream');
    is($events->run->{-id}, $id, 'and its first event is not held back');
    $events->close;
}

# A comment at times shows that a stream goes on.
is_deeply($quiet->block, {comment => 'keep-alive'}, 'a comment');
api('POST', "/interrupt/$quiet_pid");
# Two states that follow each other closely may be told as one.
like(statuses($quiet->runs_until('interrupted')), qr/^(?:running )?interrupted$/, 'and then what is new');
ends_as($quiet, $quiet_pid, 'interrupted', 'after a comment');

done(qr/AH01631: user bob: authorization failure/);

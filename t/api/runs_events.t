#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /runs/events: the list of runs as server-sent events, as GET /runs answers it at that moment; each
# list once, no more than one each half second; a client that comes again with an id goes on from there.
use strict;
use warnings FATAL => 'all';
use Digest::MD5 qw(md5_hex);
use Time::HiRes qw(time);
use WfEvents;
use WfTest;

my $LONG = 20;    # seconds that nothing here may take
my %STREAM = (
    'Content-Type'           => 'text/event-stream',
    'Cache-Control'          => 'no-store',
    'X-Accel-Buffering'      => 'no',
    'X-Content-Type-Options' => 'nosniff',
    'Content-Length'         => undef,
    'ETag'                   => undef,
);

# A list that no other test changes: the runs of a user's own query.
my @none = (query => '?project=600&task=never-there');
sub list { return api('GET', "/runs$_[0]")->body }
sub pids { return join ' ', map { $_->{pid} } @_ }

# Something to read of at the end of this file: a stream that has nothing to say in the meantime.
my $quiet = WfEvents->open(undef, @none);
is($quiet->head->status, 200, 'a stream');
is_deeply({map { $_ => $quiet->head->header($_) } sort keys %STREAM}, \%STREAM, 'with its headers');
is_deeply($quiet->block, {retry => 2000}, 'when to connect again');
my ($empty, $empty_id) = $quiet->page;
is($empty, '{"runs":[]}', 'and the list, although it is empty');
is($empty_id, md5_hex("$empty\n"), 'whose id is the digest of what GET /runs answers');
is("$empty\n", list($none[1]), 'as it does');

# The first event is what GET /runs answers, with each of the arguments.
my $old = run_ends_as('a run', 'completed', 'noop')->{pid};
my $new = run_ends_as('another', 'completed', 'echo', '"x"')->{pid};
for my $query ('?limit=1', '?limit=2&project=600', '?task=noop&limit=1', '?status=completed&limit=3',
    '?user=bob&limit=1', '?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z')
{
    for my $base ('/cw/api/v2', '/api/v2') {
        my $events = WfEvents->open(undef, query => $query, base => $base);
        is(($events->page)[0] . "\n", list($query), "$base/runs/events$query");
        $events->close;
    }
}

# A run's life, as each of several sees it.
{
    my $query = '?project=600&task=long-wait&limit=1';
    my @streams = map { WfEvents->open(undef, query => $query, %{$_}) } {}, {base => '/api/v2'}, {user => 'bob'},
        {protocol => 'HTTP/1.0'};
    my %last = map { $_ => ($_->page)[1] } @streams;
    my $pid = post_run('long-wait');
    wait_for('its progress', 10, sub { run_get($pid)->{progress} });
    my @begun = map { [$_->pages_until(sub { @_ && $_[0]{pid} eq $pid && $_[0]{progress} })] } @streams;
    api('POST', "/interrupt/$pid");
    for my $i (0 .. $#streams) {
        my @pages = (@{$begun[$i]}, $streams[$i]->pages_until(sub { $_[0]{status} eq 'interrupted' }));
        my %ids = map { $_->{-id} => 1 } @pages;
        ok(!$ids{$last{$streams[$i]}}, "stream $i: nothing that was known");
        is(scalar keys %ids, scalar @pages, 'and no list twice');
        ok($streams[$i]->is_silent(0.1), 'and nothing more');
    }
    my $run = run_get($pid);
    delete @{$run}{qw(result actions)};
    my $events = WfEvents->open(undef, query => $query);
    is_deeply(($events->pages_until(sub { 1 }))[0]{runs}, [$run], 'the run as it ended');
    $events->close;
}

# What changes nothing of the list is not told, and nobody hears of another world.
{
    my $events = WfEvents->open(undef, query => '?task=noop&limit=1');
    my ($data, $id) = $events->page;
    run_ends_as('a run of another task', 'completed', 'echo');
    my $there = post_run('noop', '{}', other => 1);
    run_end($there, other => 1);
    ok($events->is_silent(1.2), 'nothing is said of what the list does not show');
    my $pid = run_ends_as('one that it shows', 'completed', 'noop')->{pid};
    my @pages = $events->pages_until(sub { $_[0]{pid} eq $pid && $_[0]{status} eq 'completed' });
    cmp_ok(scalar @pages, '<=', 4, 'but of one that it shows');

    # Going on where one was.
    $id = $pages[-1]{-id};
    my %stale = (query => '?task=noop&limit=1&lastEventId=' . '0' x 32);
    my @same = map { WfEvents->open(undef, query => '?task=noop&limit=1', %{$_}) } {id => $id},
        {query => "?task=noop&limit=1&lastEventId=$id"}, {id => $id, %stale};
    my @other = map { WfEvents->open(undef, query => '?task=noop&limit=1', %{$_}) } {%stale}, {id => ''},
        {id => substr $id, 1};
    is(($_->page)[1], $id, 'with another id, the present list comes first') for @other;
    is_deeply($_->block, {retry => 2000}, 'with the present one there is a stream') for @same;
    ok($_->is_silent(0.1), 'which does not repeat it') for @same;
    $pid = run_ends_as('another one', 'completed', 'noop')->{pid};
    for my $stream (@same, @other, $events) {
        my @then = $stream->pages_until(sub { $_[0]{pid} eq $pid && $_[0]{status} eq 'completed' });
        is(scalar(grep { $_->{-id} eq $id } @then), 0, 'then what is new');
        $stream->close;
    }
}

# However many runs there are, a stream has two events a second at most.
{
    my $events = WfEvents->open(undef, query => '?task=noop&limit=500');
    $events->page;
    my $begin = time;
    my ($runs, @pages) = (0);
    while (@pages < 3) {
        post_run('noop');
        $runs++;
        push @pages, $events->pages_until(sub { 1 }) if $events->has_more(0.01);
    }
    cmp_ok(time - $begin, '>=', 1, 'events have half a second between them');
    cmp_ok($runs, '>', 3, 'in which there are more runs');
    $events->close;
}

# What the user may see.
{
    my $query = '?project=601&limit=1';
    my $bob = WfEvents->open(undef, user => 'bob', query => $query);
    my $alice = WfEvents->open(undef, query => $query);
    is(($bob->page)[0], '{"runs":[]}', 'bob sees nothing of project 601');
    $alice->page;
    my $pid = run_ends_as('alice\'s alone', 'completed', 'echo', '{}', project => '601')->{pid};
    $alice->pages_until(sub { $_[0]{pid} eq $pid && $_[0]{status} eq 'completed' });
    pass('alice sees her run');
    ok($bob->is_silent(0.6), 'bob does not');
    $_->close for $bob, $alice;
}

rows(
    ['HEAD', ['HEAD', '/runs/events'], 200, headers => \%STREAM, empty => 1],
    ['a cursor', ['GET', "/runs/events?cursor=$old"], 400, problem => 'bad-request',
        detail => qr/argument cursor must be left out/],
    ['an id that is none', ['GET', '/runs/events?lastEventId=%4'], 400, problem => 'bad-request'],
    ['two ids', ['GET', '/runs/events?lastEventId=a&lastEventId=b'], 400, problem => 'bad-request',
        detail => qr/^lastEventId must/],
    map({ ["$_ is refused", ['GET', "/runs/events?$_"], 400, problem => 'bad-request'] }
        'project=.x', 'task=', 'user=', 'status=done', 'from=yesterday', 'to=x', 'limit=501'),
);

# A stream lasts no longer than it may. Its client comes again.
{
    my $begin = time;
    my $events = WfEvents->open(undef, @none, base => '/small');
    $events->page;
    is($events->block, undef, 'its time is up, and it ends');
    cmp_ok(time - $begin, '>=', 0.99, 'not before');
    cmp_ok(time - $begin, '<', $LONG, 'nor much later');
}

# A client that goes away leaves nobody behind who waits.
{
    my @many = map { WfEvents->open(undef, @none) } 1 .. 3;
    $_->page for @many;
    my $watchers = sub { api('GET', '/metrics')->body =~ /^dbsync_wf_waiters (\d+)$/m ? $1 : die 'no figure' };
    wait_for('all to wait', $LONG, sub { $watchers->() >= 4 });
    $_->close for @many;
    wait_for('the others to be gone', $LONG, sub { $watchers->() <= 1 });
    pass('their places are free');
}

# A comment at times shows that a stream goes on.
is_deeply($quiet->block, {comment => 'keep-alive'}, 'a comment');
ok($quiet->is_silent(0.1), 'and nothing else');

done(qr/AH01631: user bob: authorization failure/);

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Streams of a run's events, and what happens to the server meanwhile: they go on when keeper or runner
# is killed; they end when httpd starts anew or stops, and hold it up in nothing; a client that comes
# again goes on where it was. They have places as those who wait have, together with them.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfConfig qw(write_extra);
use WfEvents;
use WfServer qw(httpd is_alive parent_pid pid_of reload);
use WfTest;

my $LONG = 20;    # seconds that nothing here may take
my $MANY = 8;

sub begin_run
{
    my ($task) = @_;
    my $pid = post_run($task // 'long-wait');
    wait_for('its progress', 10, sub { run_get($pid)->{progress} }) if !$task;
    return $pid;
}

sub end_run
{
    my ($pid) = @_;
    is(api('POST', "/interrupt/$pid")->status, 202, 'the run is interrupted');
    return;
}

sub kill_one
{
    my ($kind) = @_;
    my $victim = pid_of($kind);
    kill 'KILL', $victim or die "kill $victim: $!\n";
    wait_for("the end of $victim", 10, sub { !is_alive($victim) });
    return;
}

# A stream of a run that goes on, whose present state has been read: its id is $events->{id}.
sub follow
{
    my ($pid, @option) = @_;
    my $events = WfEvents->open($pid, @option);
    $events->{id} = $events->run->{-id};
    return $events;
}

# Tests that a stream goes on to the run's end, with no state twice in a row.
sub goes_on_to
{
    my ($status, $events, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $last = $events->{id};
    my $twice = 0;
    for my $run ($events->runs_until($status)) {
        $twice++ if $run->{-id} eq $last;
        $last = $run->{-id};
    }
    is($twice, 0, "$name: each state once");
    is(($events->event // {})->{event}, 'end', 'and the end');
    is($events->block, undef, 'which is all');
    return;
}

# The keeper is killed, twice, and then the runner.
{
    my $pid = begin_run();
    my @streams = map { follow($pid) } 1 .. $MANY;
    kill_one('keeper');
    # Progress is the keeper's alone to remember, and the runner has no more to report.
    my $id = api('GET', "/status/$pid")->header('ETag') =~ tr/"//dr;
    for my $events (@streams) {
        my $run = $events->run;
        is($events->{id} = $run->{-id}, $id, 'the streams go on');
        is($run->{progress}, undef, 'without the progress that was in its memory');
    }
    kill_one('keeper');
    is(api('GET', "/status/$pid")->status, 200, 'there is a third keeper');
    ok($_->is_silent(0.1), 'nothing has changed, and nothing is said') for @streams;
    end_run($pid);
    goes_on_to('interrupted', $_, 'behind another keeper') for @streams;

    $pid = begin_run();
    @streams = map { follow($pid) } 1 .. $MANY;
    kill_one('runner');
    goes_on_to('error', $_, 'without its runner') for @streams;
    is(run_get($pid)->{error}{type}, 'process-lost', 'whose run is lost');
}

# A stream of the list: what has happened under the next keeper is told by it, and nothing twice.
{
    my $pid = begin_run();
    my @streams = map { WfEvents->open(undef, query => '?project=600&task=long-wait&limit=1') } 1 .. $MANY;
    my %last = map { $_ => ($_->pages_until(sub { $_[0]{pid} eq $pid }))[-1]{-id} } @streams;
    for my $round (1 .. 3) {
        kill_one('keeper');
        my $next = post_run('long-wait');
        end_run($pid);
        for my $events (@streams) {
            my @pages = $events->pages_until(sub { $_[0]{pid} eq $next && $_[0]{progress} });
            my @ids = ($last{$events}, map { $_->{-id} } @pages);
            is(scalar(grep { $ids[$_] eq $ids[$_ - 1] } 1 .. $#ids), 0, "keeper $round: each list once");
            $last{$events} = $ids[-1];
        }
        $pid = $next;
    }
    end_run($pid);
    $_->pages_until(sub { $_[0]{status} eq 'interrupted' }) for @streams;
    pass('the lists go on behind each of them');
    $_->close for @streams;
}

# graceful: streams end, and their clients go on with the next child.
{
    my $pid = begin_run();
    my @streams = map { follow($pid) } 1 .. $MANY;
    my $begin = time;
    reload();
    is($_->block, undef, 'graceful ends a stream, which is no end of its run') for @streams;
    cmp_ok(time - $begin, '<', $LONG, 'at once');
    my @again = map { WfEvents->open($pid, id => $_->{id}) } @streams;
    for my $i (0 .. $#again) {
        is_deeply($again[$i]->block, {retry => 2000}, 'its client comes again');
        $again[$i]{id} = $streams[$i]{id};
    }
    ok($_->is_silent(0.1), 'and is told nothing twice') for @again;
    end_run($pid);
    goes_on_to('interrupted', $_, 'behind graceful') for @again;
}

# restart and stop: nobody is left hanging, neither the client nor the server.
for my $action (qw(restart stop)) {
    my $pid = begin_run();
    my @streams = map { follow($pid) } 1 .. $MANY;
    my $parent = parent_pid();
    my $begin = time;
    httpd($action);
    wait_for('httpd to have stopped', $LONG, sub { !-e "/proc/$parent" }) if $action eq 'stop';
    ok($_->has_more($LONG), "$action ends a stream") for @streams;
    cmp_ok(time - $begin, '<', $LONG, 'in good time');
    httpd('start') if $action eq 'stop';
    wait_for('the server', $LONG, sub { eval { api('GET', "/status/$pid")->status == 200 } });
    my $again = follow($pid, id => '0' x 40);
    end_run($pid) if $action eq 'restart';
    # stop has interrupted what ran.
    my $end = run_end($pid)->{status};
    isnt($end, 'completed', 'the run has ended');
    my $events = WfEvents->open($pid);
    $events->runs_until($end);
    is($events->event->{event}, 'end', 'and whoever comes again is told so');
    $again->close;
}

# Places, which streams and those who wait share. Who has none is told how the run stands.
{
    write_extra('streams', "DbsyncWfMaxWaiters 2\n");
    reload();
    my $pid = begin_run();
    my $stream = follow($pid);
    my $waits = client();
    $waits->ask('GET', "/cw/api/v2/status/$pid?wait=60");
    log_has(qr/WF0319: run $pid/, 'one streams, one waits');
    ok(!$waits->is_answered(0.2), 'and has a place');
    my $third = follow($pid);
    is($third->block, undef, 'a third stream ends behind the present state');
    is_deeply(WfEvents->open($pid, id => $third->{id})->block, {retry => 2000}, 'with its id');
    my $asks = client();
    $asks->ask('GET', "/cw/api/v2/status/$pid?wait=60");
    is($asks->answer->json->{status}, 'running', 'nor can it wait');
    $waits->close;
    my $next = wait_for('the place of one who has gone', $LONG, sub {
        my $events = follow($pid);
        return $events->is_silent(0.2) ? $events : undef;
    });
    end_run($pid);
    goes_on_to('interrupted', $stream, 'the first');
    goes_on_to('interrupted', $next, 'the one with the free place');

    write_extra('streams', "DbsyncWfMaxWaiters 0\n");
    reload();
    $pid = begin_run();
    is(follow($pid)->block, undef, 'no place, no stream');
    end_run($pid);
    write_extra('streams');
    reload();
}

# Clients that go away, many at a time and in the middle of events, leave their places to others.
{
    my $pid = begin_run();
    my $begin = time;
    for my $round (1 .. 10) {
        $_->close for map { follow($pid) } 1 .. $MANY;
    }
    my @streams = wait_for('places for all', $LONG, sub {
        my @all = map { follow($pid) } 1 .. $MANY;
        return (grep { !$_->is_silent(0) } @all) ? undef : \@all;
    })->@*;
    run_ends_as('others are served', 'completed', 'noop');
    end_run($pid);
    goes_on_to('interrupted', $_, 'behind those who left') for @streams;
    cmp_ok(time - $begin, '<', 3 * $LONG, 'all that in good time');
}

done(qr/WF0164: wf-(?:keeper|runner)/, qr/WF0125: runner \d+ was lost/,
    qr/AH00(?:161|286|484): server reached MaxRequestWorkers/);

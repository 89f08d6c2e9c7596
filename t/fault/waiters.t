#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Requests that wait for a run: many at once leave threads for others; none is forgotten when the
# keeper is killed, when its client goes away, or when httpd starts anew.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfConfig qw(write_extra);
use WfServer qw(has_waitio httpd pid_of reload);
use WfTest;

my $LONG = 20;    # seconds that no answer here may take
my $GROWN = 60;   # prefork makes no haste to have more children for 10 s after a graceful

sub begin_run
{
    my $pid = post_run('long-wait');
    wait_for('its progress', 10, sub { run_get($pid)->{progress} });
    return $pid;
}

sub begin_wait
{
    my ($pid, $seconds) = @_;
    my $client = client();
    $client->ask('GET', "/cw/api/v2/status/$pid?wait=$seconds");
    return $client;
}

sub end_run
{
    my ($pid) = @_;
    is(api('POST', "/interrupt/$pid")->status, 202, 'the run is interrupted');
    return;
}

# The keeper is killed under who waits.
{
    my $pid = begin_run();
    my $waits = begin_wait($pid, 60);
    log_has(qr/WF0319: run $pid/, 'a request waits');
    my $keeper = pid_of('keeper');
    kill 'KILL', $keeper or die "kill $keeper: $!\n";
    is(api('GET', "/status/$pid")->status, 200, 'there is another keeper');
    ok(!$waits->is_answered(0.2), 'and the request waits on');
    end_run($pid);
    is($waits->answer->json->{status}, 'interrupted', 'until the end of the run');
}

# 200 at once: under no MPM is there a thread for each. Half of them may be used up so or, where no
# thread is, half of the connections that there is room for, in two processes.
{
    my $most = has_waitio() ? 2 * (64 * 3 / 2 + 1) : 64;
    my $pid = begin_run();
    my @clients = map { begin_wait($pid, 60) } 1 .. 200;
    wait_for('those without a place to be answered', $GROWN,
        sub { $most >= grep { !$_->is_answered(0) } @clients });
    my $begin = time;
    is(api('GET', "/status/$pid")->status, 200, 'others are served') for 1 .. 20;
    run_ends_as('and can run tasks', 'completed', 'noop');
    cmp_ok(time - $begin, '<', $LONG, 'meanwhile');
    $begin = time;
    end_run($pid);
    my %told;
    $told{$_->answer->json->{status}}++ for @clients;
    is(join(' ', sort keys %told), 'interrupted running', 'who has a place is told the end, who has none is not');
    cmp_ok($told{interrupted}, '>=', 8, 'not a few have one');
    note("$told{interrupted} of 200 waited");
    cmp_ok(time - $begin, '<', $LONG, 'all that at once');
}

# Bounds. A client that goes away makes room.
{
    write_extra('waiters', "DbsyncWfMaxWaiters 2\n");
    reload();
    my $pid = begin_run();
    my @clients = map { begin_wait($pid, 60) } 1 .. 3;
    my $third = wait_for('one of three to be answered', $LONG,
        sub { (grep { $_->is_answered(0) } @clients)[0] });
    is($third->answer->json->{status}, 'running', 'the third is told how the run stands');
    @clients = grep { $_ != $third } @clients;
    ok(!$_->is_answered(0.2), 'the other two wait') for @clients;
    pop(@clients)->close;
    my $next = wait_for('the place of one who has gone', $LONG, sub {
        my $client = begin_wait($pid, 60);
        return $client->is_answered(0.2) ? undef : $client;
    });
    pass('and another has it');
    end_run($pid);
    is($_->answer->json->{status}, 'interrupted', 'and is told the end') for @clients, $next;

    write_extra('waiters', "DbsyncWfMaxWaiters 0\n");
    reload();
    $pid = begin_run();
    is(begin_wait($pid, 60)->answer->json->{status}, 'running', 'no place, no waiting');
    end_run($pid);
    write_extra('waiters');
    reload();
}

# httpd starts anew: graceful answers who waits; restart is not held up by them.
{
    my $pid = begin_run();
    my $waits = begin_wait($pid, 5);
    log_has(qr/WF0319: run $pid/, 'a request waits');
    reload();
    is($waits->answer->json->{status}, 'running', 'graceful answers it');
    end_run($pid);
    $pid = begin_run();
    $waits = begin_wait($pid, 60);
    log_has(qr/WF0319: run $pid/, 'another waits');
    httpd('restart');
    wait_for('the server to have restarted', $LONG, sub { eval { api('GET', "/status/$pid")->status == 200 } });
    ok($waits->is_answered($LONG), 'restart leaves nobody waiting');
    end_run($pid);
    is(run_end($pid)->{status}, 'interrupted', 'and the run goes on to its end');
}

# More connections than there are threads or processes: httpd says so.
done(qr/WF0164: wf-keeper/, qr/AH00(?:161|286|484): server reached MaxRequestWorkers/);

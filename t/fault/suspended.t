#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Where the MPM waits for connections itself, a request that waits for a run holds no thread: many more
# wait than there are threads, others are served meanwhile, and none is forgotten, whatever happens to
# the keeper, to its client, or to httpd.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfHttp;
use WfHttpd;
use WfServer qw(has_waitio);
use WfTest;

plan(skip_all => 'this httpd holds a thread for each request that waits') if !has_waitio();

my $LONG = 20;    # seconds that no answer here may take
my $THREADS = 8;
my $MANY = 300;   # connections: each process has room for THREADS * (1 + 80), and half of them may wait
my $httpd = WfHttpd->new('suspended', lines => <<"END");
StartServers 1
ServerLimit 1
ThreadsPerChild $THREADS
MaxRequestWorkers $THREADS
MinSpareThreads 1
MaxSpareThreads $THREADS
AsyncRequestWorkerFactor 80
END
$httpd->start;

sub a_client { return WfHttp->new(port => $httpd->{port}, user => 'alice', password => 'wonderland', @_) }

# A client that has asked for a run's end, on a connection that it would keep.
sub begin_wait
{
    my ($pid, $seconds, @option) = @_;
    my $client = a_client(keep => 1);
    $client->ask('GET', "/cw/api/v2/status/$pid?wait=$seconds", @option);
    return $client;
}

sub begin_run
{
    my $pid = $httpd->post_run(600, 'long-wait');
    wait_for('its progress', 10, sub { $httpd->run_get($pid)->{progress} });
    return $pid;
}

sub end_run
{
    my ($pid) = @_;
    is($httpd->api('POST', "/interrupt/$pid")->status, 202, 'the run is interrupted');
    return;
}

# How many wait, by the store's own count.
sub waiting
{
    return $httpd->api('GET', '/metrics')->body =~ /^dbsync_wf_waiters (\d+)$/m ? $1 : die "no such figure\n";
}

# So many wait, and after that none.
sub waits
{
    my ($count, @clients) = @_;
    wait_for("$count to wait", $LONG, sub { waiting() == $count });
    is(scalar(grep { $_->is_answered(0) } @clients), 0, 'and none of them is answered');
    return;
}

# All are told the end, and each connection ends with that.
sub told
{
    my ($status, @clients) = @_;
    my (%told, %close);
    my $begun = time;
    for my $client (@clients) {
        my $answer = $client->answer;
        $told{$answer->json->{status}}++;
        $close{lc($answer->header('Connection') // '')}++;
    }
    is_deeply(\%told, {$status => scalar @clients}, "all are told: $status");
    is_deeply(\%close, {close => scalar @clients}, 'on connections that end with it');
    cmp_ok(time - $begun, '<', $LONG, 'at once');
    return;
}

# Many more than there are threads.
{
    my $pid = begin_run();
    my @clients = map { begin_wait($pid, 60) } 1 .. $MANY;
    waits($MANY, @clients);
    my $begun = time;
    is($httpd->api('GET', "/status/$pid")->status, 200, 'others are served') for 1 .. 20;
    is($httpd->run_end($httpd->post_run(602, 'noop'))->{status}, 'completed', 'and can run tasks');
    cmp_ok(time - $begun, '<', $LONG, 'meanwhile');

    pop(@clients)->close;
    waits($MANY - 1);
    pass('one that goes away is forgotten');
    end_run($pid);
    told('interrupted', @clients);
    waits(0);
}

# The time is up; a tag that still holds.
{
    my $pid = begin_run();
    my $etag = $httpd->api('GET', "/status/$pid")->header('ETag');
    my $begun = time;
    my @clients = map { begin_wait($pid, 1) } 1 .. 2 * $THREADS;
    my $known = begin_wait($pid, 1, headers => {'If-None-Match' => $etag});
    told('running', @clients);
    cmp_ok(time - $begun, '>=', 0.99, 'when the time is up, and not before');
    is($known->answer->status, 304, 'or 304');

    # A change; one that shows nothing else is not told.
    my $for_change = begin_wait($pid, 60, headers => {'If-None-Match' => $etag});
    my $for_end = begin_wait($pid, 60);
    waits(2, $for_change, $for_end);
    end_run($pid);
    ok($for_change->answer->json->{interruptTime}, 'a change is told');
    told('interrupted', $for_end);
}

# A client that sends another request meanwhile is answered, and then its other request.
{
    my $pid = begin_run();
    my $client = begin_wait($pid, 60);
    waits(1, $client);
    $client->ask('GET', "/cw/api/v2/status/none");
    is($client->answer->json->{status}, 'running', 'it is told how the run stands');
    is($client->answer->status, 404, 'and then what else it asked for');
    is($client->request('GET', "/cw/api/v2/status/$pid")->json->{status}, 'running',
        'on a connection that goes on');
    end_run($pid);
}

# The keeper is killed, and killed again.
{
    my $pid = begin_run();
    my @clients = map { begin_wait($pid, 60) } 1 .. 3 * $THREADS;
    waits(scalar @clients, @clients);
    for (1 .. 2) {
        kill 'KILL', $httpd->pid_of('keeper');
        is($httpd->api('GET', "/status/$pid")->status, 200, 'there is another keeper');
        waits(scalar @clients, @clients);
    }
    end_run($pid);
    told('interrupted', @clients);
}

# The store is away for longer than a request has patience with it.
{
    my $pid = begin_run();
    my @clients = map { begin_wait($pid, 60) } 1 .. 3 * $THREADS;
    waits(scalar @clients, @clients);
    my $supervisor = $httpd->pid_of('supervisor');
    kill 'STOP', $supervisor;
    kill 'KILL', $httpd->pid_of('keeper');
    my (%told, %type);
    my $begun = time;
    for my $client (@clients) {
        my $answer = $client->answer;
        $told{$answer->status}++;
        $type{$answer->json->{type}}++;
    }
    kill 'CONT', $supervisor;
    is_deeply(\%told, {503 => scalar @clients}, 'all are told that the store does not answer');
    is_deeply(\%type, {'urn:dbsync-wf:problem:store-unavailable' => scalar @clients}, 'in the same words');
    cmp_ok(time - $begun, '<', $LONG, 'after one time of its patience');
    wait_for('another keeper', $LONG, sub { eval { $httpd->api('GET', "/status/$pid")->status == 200 } });
    end_run($pid);
}

# graceful answers who waits; a stop is not held up.
{
    my $pid = begin_run();
    my @clients = map { begin_wait($pid, 60) } 1 .. 3 * $THREADS;
    waits(scalar @clients, @clients);
    $httpd->control('graceful');
    told('running', @clients);
    wait_for('the next children to serve', $LONG, sub { eval { $httpd->api('GET', "/status/$pid")->status == 200 } });
    @clients = map { begin_wait($pid, 60) } 1 .. 3 * $THREADS;
    waits(scalar @clients, @clients);
    my $begun = time;
    $httpd->stop;
    cmp_ok(time - $begun, '<', 9, 'a stop is a matter of seconds');
    ok($_->is_answered(1), 'and leaves nobody waiting') for @clients;
}

# More than half of the connections that there is room for do not wait.
{
    my $room = $THREADS * 3 / 2 + 1;
    $httpd->configure($httpd->{lines} =~ s/AsyncRequestWorkerFactor 80/AsyncRequestWorkerFactor 2/r . "DbsyncWfThreads 4\n");
    $httpd->start;
    my $pid = begin_run();
    my @clients = map { begin_wait($pid, 60) } 1 .. $room;
    waits($room, @clients);
    my @more = map { begin_wait($pid, 60) } 1 .. 4;
    for my $client (@more) {
        is($client->answer->json->{status}, 'running', 'the next one is answered at once');
    }
    end_run($pid);
    told('interrupted', @clients);
    $httpd->stop;
}

is(join('', grep { !/WF0164|WF0101/ } $httpd->log_lines(qr/\[\w+:(?:error|crit|alert|emerg)\]/)), '',
    'httpd has nothing to complain about');
done();

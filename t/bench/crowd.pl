#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What requests and runs cost on a server with a crowd, beside one without, in turn: 10,000 runs that are
# queued, 1,000 that run at once, 10,000 clients that wait for one. What each of the crowd takes, and how
# late those who wait are told.
#
#   crowd.pl ROUNDS [COUNT]
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use Time::Local qw(timegm);
use WfBench qw(authorization bench_httpd load median percentile program row state write_file wrk);
use WfServer qw(children_of has_waitio name_of);

my ($rounds, $count) = @ARGV;
$count = 10_000 if !$count;
my $RUNNING = $count / 10;
my $SECONDS = 2;       # of statuses, a round
my $LIVES = 1000;      # runs, a round
my $CLIENTS = 16;
my $IDLE = 5;          # seconds for which nothing happens
my $STEP = 0.01;       # seconds from one end to the next one
my $DEADLINE = 60;     # seconds for whatever is waited for
my $CHILDREN = 4;
my $BASE = '/cw/api/v2';

sub waits
{
    my ($seconds, @more) = @_;
    return {@more, flows => [{actions => [{action => 'wait', seconds => $seconds}]}]};
}

my %tasks = (hold => waits(86_400, concurrency => 1), long => waits(86_400), quick => waits(0));

# A connection that waits is two descriptors of a child: the client's and the store's.
my $LINES = <<"END";
StartServers $CHILDREN
ServerLimit $CHILDREN
MaxRequestWorkers @{[64 * $CHILDREN]}
MinSpareThreads $CHILDREN
MaxSpareThreads @{[64 * $CHILDREN]}
AsyncRequestWorkerFactor 400
DbsyncWfThreads @{[$RUNNING + 24]}
DbsyncWfMaxWaiters 65536
DbsyncWfMaxWait 1h
DbsyncWfCacheSize 64M
END

sub server
{
    my ($name, $tasks) = @_;
    my $httpd = bench_httpd($name, $LINES, {1 => {tasks => $tasks}});
    $httpd->start;
    my $pid = $httpd->post_run(1, 'quick');
    $httpd->run_end($pid);
    return {httpd => $httpd, ended => $pid};
}

sub run_path { return "$BASE/projects/1/tasks/$_[0]/run?trigger=API" }

sub metric
{
    my ($server, $name) = @_;
    my $text = $server->{httpd}->api('GET', '/metrics')->body;
    return $text =~ /^dbsync_wf_\Q$name\E (\d+)$/m ? $1 : 0;
}

sub wait_until
{
    my ($what, $condition) = @_;
    my $deadline = time + $DEADLINE;
    until ($condition->()) {
        die "waited in vain for $what\n" if time > $deadline;
        select undef, undef, undef, 0.05;
    }
    return;
}

# Posts so many runs of a task, and gives their pids.
sub post
{
    my ($server, $task, $most) = @_;
    my @answers = load($server->{httpd}{port}, 'POST', run_path($task), connections => $CLIENTS, most => $most);
    return (\@answers, map { $_->[3] } @answers);
}

# ---- what requests and runs cost ----

# Statuses a second; milliseconds of a POST; runs a second from the first POST to the last end.
sub costs
{
    my ($server) = @_;
    my $ended = 'runs_total{project="1",task="quick",status="completed"}';
    my $rate = wrk($server->{httpd}, 'GET', "$BASE/status/$server->{ended}", $SECONDS, $CLIENTS);
    my $before = metric($server, $ended);
    my $begun = time;
    my ($answers) = post($server, 'quick', $LIVES);
    wait_until('the runs to end', sub { metric($server, $ended) == $before + $LIVES });
    return {
        'GET /status, requests/s' => $rate,
        'POST run, 1 / median ms' => 1 / median(map { ($_->[1] - $_->[0]) / 1e6 } @{$answers}),
        'runs/s, from POST to end' => $LIVES / (time - $begun),
    };
}

sub compare
{
    my ($what, $crowd, $idle) = @_;
    my %costs;
    for my $round (0 .. $rounds) {
        my @both = (['idle', $idle], ['crowd', $crowd]);
        for my $of ($round % 2 ? @both : reverse @both) {
            my $costs = costs($of->[1]);
            next if $round == 0; # warms both
            push @{$costs{$_}{$of->[0]}}, $costs->{$_} for keys %{$costs};
        }
    }
    for my $name (sort keys %costs) {
        my ($many, $none) = @{$costs{$name}}{qw(crowd idle)};
        row(name => "$name: $what / an idle server", goal => '>= 0.77',
            value => median(map { $many->[$_] / $none->[$_] } 0 .. $#{$many}),
            rates => {crowd => median(@{$many}), idle => median(@{$none})},
            how => "$CLIENTS connections, httpd event $CHILDREN x 64 threads, medians of $rounds rounds, in turn");
    }
    return;
}

# ---- what the crowd takes ----

sub processes
{
    my ($httpd) = @{$_[0]}{httpd};
    my @children = grep { name_of($_) !~ /^wf-/ } children_of($httpd->pid);
    return (httpd => \@children, map { ($_ => [$httpd->pid_of($_)]) } qw(keeper runner));
}

# Kilobytes that are a process's own: what others share with it, such as the cache, is not among them.
sub own_memory
{
    my ($server) = @_;
    my %processes = processes($server);
    my %sum;
    for my $kind (keys %processes) {
        for my $pid (@{$processes{$kind}}) {
            open my $in, '<', "/proc/$pid/status" or die "/proc/$pid/status: $!\n";
            $sum{$kind} += /^RssAnon:\s+(\d+) kB/ ? $1 : 0 for <$in>;
        }
    }
    return \%sum;
}

# Part of one processor that each kind has had, while nothing happens.
sub idle_cpu
{
    my ($server) = @_;
    my %processes = processes($server);
    my $clock = sub {
        my %sum;
        for my $kind (keys %processes) {
            for my $file (map { glob "/proc/$_/task/*/schedstat" } @{$processes{$kind}}) {
                open my $in, '<', $file or next; # the thread has ended
                $sum{$kind} += (split ' ', <$in> // '0')[0];
            }
        }
        return \%sum;
    };
    my $before = $clock->();
    my $begun = time;
    select undef, undef, undef, $IDLE;
    my $after = $clock->();
    my $took = (time - $begun) * 1e9;
    return {map { ($_ => 100 * ($after->{$_} - $before->{$_}) / $took) } keys %processes};
}

sub sum { my $sum = 0; $sum += $_ for @_; return $sum }

sub tell_what_it_takes
{
    my ($each, $number, $server, $before) = @_;
    my $after = own_memory($server);
    my %each = map { ($_ => ($after->{$_} - $before->{$_}) / $number) } keys %{$after};
    row(name => "memory of each of $number $each, KB", goal => '-', value => sum(values %each), rates => \%each,
        how => 'RssAnon of the processes, beside what it was before');
    my $cpu = idle_cpu($server);
    row(name => "processor while nothing happens, $number $each, %", goal => '<= 5', value => sum(values %{$cpu}),
        rates => $cpu, how => "schedstat of all threads, $IDLE s");
    return;
}

# ---- the crowds ----

sub measure_queued
{
    my ($idle) = @_;
    my $server = server('bench-crowd', \%tasks);
    my $before = own_memory($server);
    post($server, 'hold', $count + 1);
    wait_until('the queue', sub { metric($server, 'runs_queued') == $count });
    tell_what_it_takes('runs queued', $count, $server, $before);
    compare("$count runs queued", $server, $idle);
    $server->{httpd}->stop;
    return;
}

sub measure_running
{
    my ($idle) = @_;
    my $server = server('bench-crowd', \%tasks);
    my $before = own_memory($server);
    my ($answers, @pids) = post($server, 'long', $RUNNING);
    wait_until('all to run', sub { metric($server, 'runs_running') == $RUNNING });
    wait_until('what they tell when they begin', sub { $server->{httpd}->run_get($pids[-1])->{progress} });
    tell_what_it_takes('runs at once', $RUNNING, $server, $before);
    compare("$RUNNING runs at once", $server, $idle);
    $server->{httpd}->stop;
    return;
}

# Clients that wait for these runs, in turn; they can be read when there are answers.
sub begin_waiting
{
    my ($server, @pids) = @_;
    my ($request, $ids) = (state('bench.request'), state('bench.ids'));
    write_file($request, join "\r\n", "GET $BASE/status/\@ID\@?wait=3600 HTTP/1.1",
        "Host: 127.0.0.1:$server->{httpd}{port}", 'Authorization: ' . authorization(), '', '');
    write_file($ids, join '', map {"$_\n"} @pids);
    open my $in, '-|', program('waiters'), $server->{httpd}{port}, $count, $request, $ids or die "waiters: $!\n";
    my $said = <$in> // '';
    die "waiters failed\n" if $said ne "asked\n";
    wait_until('all to wait', sub { metric($server, 'waiters') == $count });
    return $in;
}

sub seconds_of
{
    my ($text) = @_;
    my ($y, $mo, $d, $h, $mi, $s) = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):([\d.]+)Z$/ or die "no time: $text\n";
    return timegm(0, $mi, $h, $d, $mo - 1, $y) + $s;
}

# Milliseconds by which each was told late.
sub lateness
{
    my ($in) = @_;
    my @late;
    while (my $line = <$in>) {
        my ($status, $at, $completed) = split ' ', $line;
        die "a waiter was answered: $line" if $status != 200 || $completed eq '-';
        push @late, 1000 * ($at / 1e6 - seconds_of($completed));
    }
    close $in or die "waiters failed\n";
    die scalar(@late), " of $count were answered\n" if @late != $count;
    return @late;
}

sub tell_lateness
{
    my ($what, $how, @late) = @_;
    row(name => "from end to answer, $what, p99, ms", goal => '-', value => percentile(99, @late),
        rates => {p50 => percentile(50, @late), p99 => percentile(99, @late), most => percentile(100, @late)},
        how => $how);
    return;
}

sub measure_waiters
{
    my ($idle) = @_;
    # The ends begin when all wait, at the latest.
    my $first = 10 + $count / 500;
    my %ends = map { ("after-$_" => waits($first + $STEP * $_)) } 0 .. $RUNNING - 1;
    my $server = server('bench-crowd', {%tasks, %ends});
    my $before = own_memory($server);
    my $long = $server->{httpd}->post_run(1, 'long');
    my $in = begin_waiting($server, $long);
    tell_what_it_takes('waiters', $count, $server, $before);
    compare("$count waiters", $server, $idle);
    die "some wait no more\n" if metric($server, 'waiters') != $count;
    $server->{httpd}->api('POST', "/interrupt/$long");
    tell_lateness("$count wait for the same run", 'one interrupt; completionTime has whole milliseconds', lateness($in));

    my @pids = map { $server->{httpd}->post_run(1, "after-$_") } 0 .. $RUNNING - 1;
    tell_lateness("$count wait for $RUNNING runs", 'ends ' . 1000 * $STEP . ' ms apart; completionTime has whole milliseconds',
        lateness(begin_waiting($server, @pids)));
    $server->{httpd}->stop;
    return;
}

my $idle = server('bench-idle', \%tasks);
measure_queued($idle);
measure_running($idle);
measure_waiters($idle) if has_waitio();
$idle->{httpd}->stop;

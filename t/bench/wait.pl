#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What waiting for runs costs, and what an Idempotency-Key does; scripts/bench wait calls it in a
# configured test tree. It measures an httpd of its own, one child of the event MPM with 512 threads.
#
#   wait.pl ROUNDS
use strict;
use warnings FATAL => 'all';
use IO::Select ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(time);
use Time::Local qw(timegm);
use WfConfig qw(server_var);
use WfHttp ();
use WfHttpd ();
use WfServer qw(children_of name_of);

my ($rounds) = @ARGV;
my $THREADS  = 512;
my $PLACES   = $THREADS / 2;
my $FIRST    = 3;       # seconds from a run's start until the first of many ends
my $STEP     = 0.01;    # seconds from one's end to the next one's
my $IDLE     = 5;       # seconds for which nothing happens
my $PROJECT  = '698';
my $BASE     = '/cw/api/v2';
my $CLIENTS  = 8;
my $KEYS     = 100;
my $REPEATS  = 100;
my $folder   = server_var('t_state');

sub write_project
{
    my $task = sub {
        my ($seconds, @more) = @_;
        return {name => 'bench', @more, flows => [{name => 'main', actions => [
            {action => 'wait', seconds => $seconds}]}]};
    };
    my %tasks = map { ("after-$_" => $task->($FIRST + $STEP * $_)) } 0 .. $PLACES - 1;
    # One run that waits for long holds each of these, so that what is posted stays in the queue.
    $tasks{$_} = $task->(3600, concurrency => 1) for qw(keyed keyless);
    $tasks{long} = $task->(3600);
    $tasks{short} = $task->(0);
    open my $out, '>', "$folder/projects/$PROJECT.json" or die "$PROJECT.json: $!\n";
    print {$out} JSON::PP->new->encode({id => $PROJECT, name => 'bench', tasks => \%tasks});
    close $out or die "$PROJECT.json: $!\n";
    return;
}

write_project();
my $httpd = WfHttpd->new('bench', lines => <<"END");
ThreadLimit $THREADS
ServerLimit 1
StartServers 1
ThreadsPerChild $THREADS
MaxRequestWorkers $THREADS
MinSpareThreads 1
MaxSpareThreads $THREADS
DbsyncWfThreads $THREADS
KeepAlive On
MaxKeepAliveRequests 0
END
$httpd->start;
my $path = "/projects/$PROJECT/tasks";

sub client { return WfHttp->new(port => $httpd->{port}, user => 'alice', password => 'wonderland', @_) }

# Nanoseconds for which the threads of processes have had a processor.
sub cpu_of
{
    my $sum = 0;
    for my $file (map { glob "/proc/$_/task/*/schedstat" } @_) {
        open my $in, '<', $file or next;
        $sum += (split ' ', <$in> // '0')[0];
    }
    return $sum;
}

# Microseconds of httpd's child and of the keeper since the clock that was taken before.
sub clock { return [map { cpu_of(@{$_}) } [children()], [$httpd->pid_of('keeper')]] }
sub since { my ($then) = @_; my $now = clock(); return map { ($now->[$_] - $then->[$_]) / 1000 } 0, 1 }

sub children { return grep { name_of($_) !~ /^wf-/ } children_of($httpd->pid) }

sub sorted { return sort { $a <=> $b } @_ }
sub median { my @all = sorted(@_); return $all[@all / 2] }
sub percentile { my ($p, @all) = @_; return (sorted(@all))[$p / 100 * $#all] }

sub seconds_of
{
    my ($text) = @_;
    my ($y, $mo, $d, $h, $mi, $s, $ms) = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)\.(\d+)Z$/ or die;
    return timegm($s, $mi, $h, $d, $mo - 1, $y) + $ms / 1000;
}

# ---- from a run's end to the answer ----

sub begin_waiting
{
    my ($pid, $how) = @_;
    my $client = client();
    $client->ask('GET', $how eq 'events' ? "$BASE/status/$pid/events" : "$BASE/status/$pid?wait=60");
    return $client;
}

# Runs that end one after the other, each with a client that waits for it; seconds from end to answer.
sub measure_ends
{
    my ($count) = @_;
    my @pids = map { $httpd->post_run($PROJECT, "after-$_") } 0 .. $count - 1;
    my %client = map { my $client = begin_waiting($_, 'wait'); (fileno $client->socket => $client) } @pids;
    my $select = IO::Select->new(map { $_->socket } values %client);
    my $clock = clock();
    my $begun = time;
    my %at;
    while (keys %at < $count) {
        my @ready = $select->can_read(30) or die "a run that nobody tells of\n";
        my $now = time;
        $at{fileno $_} //= $now for @ready;
        $select->remove(@ready);
    }
    my @cpu = since($clock);
    my $took = time - $begun;
    my (@late, $early);
    for my $fd (keys %client) {
        my $run = $client{$fd}->answer->json;
        $early++ if $run->{status} ne 'completed';
        push @late, $at{$fd} - seconds_of($run->{completionTime}) if $run->{status} eq 'completed';
    }
    printf "%4d clients wait, each for a run of its own, %d ends a second: end to answer p50 %.2f ms, p99 %.2f ms, "
        . "most %.2f ms; %d answered before the end\n", $count, 1 / $STEP,
        (map { 1000 * percentile($_, @late) } 50, 99, 100), $early // 0;
    printf "     processor time meanwhile (%.1f s): httpd %.1f ms, keeper %.1f ms; %.0f us a run, its end included\n",
        $took, (map { $_ / 1000 } @cpu), ($cpu[0] + $cpu[1]) / $count;
    return;
}

# Clients that wait while nothing happens, then all for the same end.
sub measure_idle
{
    my ($count, $how) = @_;
    my $pid = $httpd->post_run($PROJECT, 'long');
    my @clients = map { begin_waiting($pid, $how) } 1 .. $count;
    my $clock = clock();
    my $begun = time;
    IO::Select->new->can_read($IDLE) while time - $begun < $IDLE;
    my @cpu = since($clock);
    my $took = time - $begun;
    printf "%4d clients, one run, nothing happens (%s): httpd %.2f %% of a processor, keeper %.2f %%\n", $count,
        $how, map { $_ / $took / 1e4 } @cpu;
    my $waiting = grep { $how eq 'events' || !$_->is_answered(0) } @clients;
    die "$waiting of $count wait\n" if $waiting != $count;
    $httpd->api('POST', "/interrupt/$pid");
    my $status = $how eq 'events' ? 200 : 'interrupted';
    for my $answer (map { $_->answer } @clients) {
        die "not told the end: ", $answer->body, "\n"
            if $how eq 'events' ? $answer->body !~ /event: end\n/ : $answer->json->{status} ne 'interrupted';
    }
    return;
}

# ---- what a request costs others ----

# ab's requests a second for a status, and microseconds of httpd's and the keeper's processors a request.
sub ask_for_status
{
    my ($pid) = @_;
    my $count = 20_000;
    my $clock = clock();
    my $said = qx(ab -q -k -c 4 -n $count -A alice:wonderland http://127.0.0.1:$httpd->{port}$BASE/status/$pid 2>&1);
    my @cpu = since($clock);
    my ($rate) = $said =~ /^Requests per second:\s+([\d.]+)/m or die $said;
    die $said if $said !~ /^Failed requests:\s+0$/m || $said =~ /^Non-2xx/m;
    return ($rate, ($cpu[0] + $cpu[1]) / $count);
}

sub measure_others
{
    my $pid = $httpd->post_run($PROJECT, 'short');
    $httpd->api('GET', "/status/$pid?wait=10");
    ask_for_status($pid);
    my (@rate, @cpu);
    for (1 .. $rounds) {
        my ($rate, $cpu) = ask_for_status($pid);
        push @{$rate[0]}, $rate;
        push @{$cpu[0]}, $cpu;
        my $long = $httpd->post_run($PROJECT, 'long');
        my @clients = map { begin_waiting($long, 'wait') } 1 .. $PLACES;
        ($rate, $cpu) = ask_for_status($pid);
        push @{$rate[1]}, $rate;
        push @{$cpu[1]}, $cpu;
        my $waiting = grep { !$_->is_answered(0) } @clients;
        die "$waiting of $PLACES wait\n" if $waiting != $PLACES;
        $httpd->api('POST', "/interrupt/$long");
        $_->answer for @clients;
    }
    my @r = map { median(@{$_}) } @rate;
    my @c = map { median(@{$_}) } @cpu;
    printf "GET /status while %d requests wait, with %d threads, beside none waiting (A B, medians of %d): %.2f of the requests a "
        . "second, %.2f times the processor time (%.0f and %.0f us)\n", $PLACES, $THREADS, $rounds, $r[1] / $r[0],
        $c[1] / $c[0], @c[1, 0];
    return;
}

# ---- Idempotency-Key ----

# One client's requests: what each was answered, a line each. All clients send the same keys in the same
# order, so that they race for each of them.
sub be_client
{
    my ($number, $round, $task) = @_;
    open my $out, '>', "$folder/bench.$number" or die "bench.$number: $!\n";
    my $client = client(keep => 1);
    my $count = $KEYS * $REPEATS / $CLIENTS;
    for my $i (0 .. $count - 1) {
        my $key = sprintf 'bench-%d-%d', $round, $i * $KEYS / $count;
        my $answer = $client->request('POST', "$BASE$path/$task/run?trigger=API", body => '{"n": 1}',
            type => 'application/json', headers => {($task eq 'keyed' ? 'Idempotency-Key' : 'X-Other-Key') => $key});
        my ($pid) = $answer->body =~ /"pid":"([^"]+)"/;
        printf {$out} "%s %s %s %d\n", $key, $answer->status, $pid // '-',
            $answer->header('Idempotency-Replayed') ? 1 : 0;
    }
    close $out or die "bench.$number: $!\n";
    return;
}

# Seconds that the clients took, and the servers' processor time a request.
sub race
{
    my ($round, $task) = @_;
    my $clock = clock();
    my $begun = time;
    my @children;
    for my $number (1 .. $CLIENTS) {
        my $child = fork // die "fork: $!\n";
        if (!$child) {
            my $ok = eval { be_client($number, $round, $task); 1 };
            print STDERR $@ if !$ok;
            POSIX::_exit($ok ? 0 : 1);
        }
        push @children, $child;
    }
    for my $child (@children) {
        waitpid $child, 0;
        die "a client has failed\n" if $? != 0;
    }
    my $took = time - $begun;
    my @cpu = since($clock);
    return ($took, ($cpu[0] + $cpu[1]) / ($KEYS * $REPEATS));
}

# What the clients were answered: statuses, replays, pids.
sub read_answers
{
    my ($seen) = @_;
    for my $file (map {"$folder/bench.$_"} 1 .. $CLIENTS) {
        open my $in, '<', $file or die "$file: $!\n";
        while (my $line = <$in>) {
            my ($key, $status, $pid, $replayed) = split ' ', $line;
            $seen->{count}++;
            $seen->{other}++ if $status != 202;
            $seen->{replayed} += $replayed;
            $seen->{pids}{$pid} = 1;
            $seen->{of}{$key}{$pid} = 1;
        }
    }
    return;
}

# How many runs of a task there are, by the list.
sub count_runs
{
    my ($task) = @_;
    my ($count, $cursor) = (0, '');
    while (defined $cursor) {
        my $page = $httpd->api('GET', "/runs?project=$PROJECT&task=$task&limit=500"
            . ($cursor ne '' ? "&cursor=$cursor" : ''))->json;
        $count += @{$page->{runs}};
        $cursor = $page->{next};
    }
    return $count;
}

sub measure_keys
{
    my @tasks = qw(keyless keyed);
    $httpd->post_run($PROJECT, $_) for @tasks;
    my (%took, %cpu, %seen);
    for my $round (1 .. $rounds) {
        for my $task (@tasks) {
            my ($took, $cpu) = race($round, $task);
            push @{$took{$task}}, $took;
            push @{$cpu{$task}}, $cpu;
            read_answers($seen{$task} //= {other => 0, replayed => 0});
        }
    }
    my $keyed = $seen{keyed};
    my $split = grep { keys %{$_} != 1 } values %{$keyed->{of}};
    printf "%d POSTs by %d clients at once with %d Idempotency-Keys: %d runs in the list, %d pids answered, %d keys "
        . "with more than one; %d replayed, %d not answered 202\n", $keyed->{count}, $CLIENTS,
        scalar keys %{$keyed->{of}}, count_runs('keyed') - 1, scalar keys %{$keyed->{pids}}, $split,
        @{$keyed}{qw(replayed other)};
    printf "%d POSTs without a key: %d runs in the list\n", $seen{keyless}{count}, count_runs('keyless') - 1;
    printf "a POST with a key that is mostly known, beside one without (A B, medians of %d): %.2f of the requests a "
        . "second, %.2f times the processor time (%.0f and %.0f us)\n", $rounds,
        median(@{$took{keyless}}) / median(@{$took{keyed}}),
        median(@{$cpu{keyed}}) / median(@{$cpu{keyless}}), map { median(@{$cpu{$_}}) } qw(keyed keyless);
    return;
}

print "(A completionTime has whole milliseconds: 0 to 1 ms of what follows it are that.)\n";
for (1 .. $rounds) {
    measure_ends($_) for 64, $PLACES;
}
measure_idle(@{$_}) for [64, 'wait'], [$PLACES, 'wait'], [$PLACES, 'events'];
measure_others();
measure_keys();
$httpd->stop;

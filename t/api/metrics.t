#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /metrics: figures that Prometheus understands, that move by exactly what was done, and that tell
# a user of no task that it may not run.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfMetrics qw(check_metrics histograms_of promtool read_metrics);
use WfServer qw(pid_of);
use WfTest;

# The samples as a user sees them; by an endpoint of option base, at a vhost of option other.
sub metrics
{
    my (%option) = @_;
    my $answer = api('GET', '/metrics', %option);
    die 'metrics: ', $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    return read_metrics($answer->body);
}

# The samples of a task that have changed, by their names and how much; times left out.
sub moved
{
    my ($before, $after, $task) = @_;
    my %moved;
    for my $sample (grep {/task="$task"/ && !/_sum|_bucket/} keys %{$after}) {
        my $by = $after->{$sample} - ($before->{$sample} // 0);
        my $status = $sample =~ /status="(\w+)"/ ? " $1" : '';
        $moved{($sample =~ /^dbsync_wf_(\w+)/)[0] . $status} = $by if $by;
    }
    return \%moved;
}

rows(['the type', ['GET', '/metrics'], 200, headers => {
    'Content-Type' => 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control' => 'no-store'}],
    ['HEAD', ['HEAD', '/metrics'], 200, empty => 1],
    ['an argument is passed over', ['GET', '/metrics?x=1'], 200]);

# Runs that complete, fail, are interrupted while they execute and while they wait, are replayed.
my %before = metrics();
run_ends_as('one completes', 'completed', 'noop') for 1 .. 3;
run_ends_as('one fails', 'error', 'code', '{"code": 3}');
my @key = (headers => {'Idempotency-Key' => "metrics-$$-" . time});
my $keyed = post_run('noop', '{}', @key);
is(post_run('noop', '{}', @key), $keyed, 'a replay is the same run');
run_end($keyed);
my %after = metrics();
is_deeply(moved(\%before, \%after, 'noop'), {'runs_total submitted' => 4, 'runs_total completed' => 4,
    queue_wait_seconds_count => 4, execution_seconds_count => 4}, 'four runs have completed');
is_deeply(moved(\%before, \%after, 'code'), {'runs_total submitted' => 1, 'runs_total error' => 1,
    queue_wait_seconds_count => 1, execution_seconds_count => 1}, 'one has failed');

%before = %after;
my $first = post_run('one');
wait_for('the first to start', 10, sub { run_get($first)->{status} eq 'running' });
my $second = post_run('one');
%after = metrics();
is_deeply(moved(\%before, \%after, 'one'), {'runs_total submitted' => 2, queue_wait_seconds_count => 1,
    task_runs_running => 1, task_runs_queued => 1}, 'one runs, and one waits for it');
cmp_ok($after{dbsync_wf_runs_queued}, '>=', 1, 'the server\'s queue has it');
cmp_ok($after{dbsync_wf_runs_running}, '>=', 1, 'and what runs');
is(api('POST', "/interrupt/$_")->status, 202, 'both are interrupted') for $second, $first;
run_end($_) for $second, $first;
%after = metrics();
is_deeply(moved(\%before, \%after, 'one'), {'runs_total submitted' => 2, 'runs_total interrupted' => 2,
    queue_wait_seconds_count => 1, execution_seconds_count => 1}, 'and only one of them was executed');

# A time in its bucket: a run that sleeps half a second and more.
%before = metrics();
my $begin = time;
run_ends_as('one takes a while', 'completed', 'wait', '{}');
my $took = time - $begin;
%after = metrics();
my $sum = 'dbsync_wf_execution_seconds_sum{project="600",task="wait"}';
my $executed = $after{$sum} - ($before{$sum} // 0);
cmp_ok($executed, '>', 0, 'the execution took some time');
cmp_ok($executed, '<=', $took, 'and no more than was waited for it');

# Waiters, threads, processes.
my $waited = post_run('long');
my $waits = client();
$waits->ask('GET', "/cw/api/v2/status/$waited?wait=30");
wait_for('a waiter', 10, sub { my %now = metrics(); $now{dbsync_wf_waiters} == 1 });
api('POST', "/interrupt/$waited");
$waits->answer;
%after = metrics();
is($after{dbsync_wf_waiters}, 0, 'who was answered waits no more');
is($after{dbsync_wf_threads}, 16, 'the threads of the configuration');
is($after{"dbsync_wf_store_$_"}, 1, "the store is $_") for qw(open writable checkpointing);
is($after{dbsync_wf_runners}, 1, 'one runner');
cmp_ok(abs($after{dbsync_wf_keeper_start_time_seconds} - (stat '/proc/' . pid_of('keeper'))[10]), '<', 60,
    'the keeper\'s start');
cmp_ok($after{dbsync_wf_commit_calls_sum}, '>', $before{dbsync_wf_commit_calls_sum}, 'commits are counted');

# A run is queued, claimed and finished: three calls that write, in so many commits at most.
run_ends_as('one more', 'completed', 'noop');
%before = %after;
%after = metrics();
is($after{dbsync_wf_commit_calls_sum} - $before{dbsync_wf_commit_calls_sum}, 3, 'three calls wrote');
cmp_ok($after{dbsync_wf_commit_calls_count} - $before{dbsync_wf_commit_calls_count}, '<=', 3,
    'in so many commits at most');

# Vhosts are apart.
%before = metrics();
my %there = metrics(other => 1);
run_end(post_run('noop', '{}', other => 1), other => 1);
%after = metrics();
my %there_now = metrics(other => 1);
is_deeply(moved(\%before, \%after, 'noop'), {}, 'what another vhost does moves nothing here');
is(moved(\%there, \%there_now, 'noop')->{'runs_total completed'}, 1, 'but there');
is($after{dbsync_wf_threads}, $there_now{dbsync_wf_threads}, 'the server\'s own figures are there too');

# Whom rows are shown to.
run_end(post_run('echo', '{}', project => '601'));
my $hidden = 'dbsync_wf_runs_total{project="601",task="echo",status="submitted"}';
my $open = 'dbsync_wf_runs_total{project="600",task="noop",status="submitted"}';
my %alice = metrics();
my %bob = metrics(user => 'bob');
my %own = metrics(user => 'prometheus');
my %all = metrics(user => 'prometheus', base => '/api/v2');
ok($alice{$hidden}, 'who may run a task sees its figures');
ok(!exists $bob{$hidden}, 'who may not does not');
is($bob{$open}, $alice{$open}, 'but those of others');
ok(!exists $own{$hidden}, 'nor does the monitoring user by itself');
is($all{$hidden}, $alice{$hidden}, 'DbsyncWfMetrics all shows them');
ok(!(grep {/601/} keys %bob), 'nothing names what is hidden');
rows(['and is the monitoring user\'s alone', ['GET', '/metrics', user => 'bob', base => '/api/v2'], 401,
    problem => 'unauthorized']);

# All of it by Prometheus' own rules.
my $answer = api('GET', '/metrics', user => 'prometheus', base => '/api/v2');
my ($count, @wrong) = histograms_of(read_metrics($answer->body));
cmp_ok($count, '>=', 5, "$count histograms");
is_deeply(\@wrong, [], 'their buckets, sums and counts agree');
SKIP: {
    skip 'promtool is missing: scripts/check fetches it', 1 if !promtool();
    is(check_metrics($answer->body), '', 'promtool has nothing against it');
}

done(
    qr/AH01631: user (?:bob|prometheus): authorization failure/,
);

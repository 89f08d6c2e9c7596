#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# 1,000 runs posted by 32 clients at a time all complete, each executed exactly once; and a task's
# concurrency limit holds.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $RUNS = 1000;
my $CLIENTS = 32;

# One client: posts its share over one connection and writes a line for each: its number and the
# pid, or what went wrong.
sub post_share
{
    my ($number, $out) = @_;
    my $client = client(keep => 1);
    for (my $n = $number; $n < $RUNS; $n += $CLIENTS) {
        my $answer = eval {
            $client->request('POST', '/cw/api/v2/projects/600/tasks/record/run?trigger=API',
                type => 'application/json', body => qq({"file":"recorded","n":$n}\n));
        };
        my $said = !$answer ? "failed: $@" : $answer->status == 202 ? $answer->json->{pid}
            : 'answered ' . $answer->status;
        print {$out} "$n ", $said =~ s/\n//gr, "\n";
    }
    close $out or die "pipe: $!\n";
    return;
}

sub start_clients
{
    my @pipes;
    for my $number (0 .. $CLIENTS - 1) {
        pipe my $in, my $out or die "pipe: $!\n";
        my $process = fork // die "fork: $!\n";
        if ($process == 0) {
            my $ok = eval { post_share($number, $out); 1 };
            POSIX::_exit($ok ? 0 : 1);
        }
        close $out;
        push @pipes, [$process, $in];
    }
    return @pipes;
}

require POSIX;
my $file = state_file('recorded');
my (%pid_of, @failures);
for my $client (start_clients()) {
    my ($process, $in) = @{$client};
    while (my $line = <$in>) {
        my ($n, $said) = $line =~ /^(\d+) (.*)$/;
        if ($said =~ $PID) {
            $pid_of{$n} = $said;
        }
        else {
            push @failures, "$n: $said";
        }
    }
    waitpid $process, 0;
    is($?, 0, "client $process ended well");
}
is(scalar @failures, 0, 'every POST was accepted') or diag(@failures[0 .. ($#failures > 9 ? 9 : $#failures)]);
is(scalar keys %pid_of, $RUNS, "$RUNS runs were accepted");
is(scalar keys %{{reverse %pid_of}}, $RUNS, 'each with a pid of its own');

my %ended;
my $client = client(keep => 1);
for my $pid (values %pid_of) {
    my $run;
    wait_for("the end of $pid", 120, sub {
        $run = $client->request('GET', "/cw/api/v2/status/$pid")->json;
        return $run->{status} =~ /^(?:completed|error|interrupted)$/;
    });
    $ended{$run->{status}}++;
}
is_deeply(\%ended, {completed => $RUNS}, 'all of them completed');

open my $in, '<', $file or die "$file: $!\n";
my %times;
while (my $line = <$in>) {
    $times{$line =~ /^\{"file":"recorded","n":(\d+)\}$/ ? $1 : "broken: $line"}++;
}
is_deeply(\%times, {map { $_ => 1 } 0 .. $RUNS - 1}, 'each was executed exactly once');

# A task with "concurrency": 2.
$file = state_file('two');
my @pids = map { post_run('two', '{"file": "two"}') } 1 .. 12;
is(run_end($_)->{status}, 'completed', "run $_ completes") for @pids;
open $in, '<', $file or die "$file: $!\n";
my ($now, $most, $began) = (0, 0, 0);
while (my $line = <$in>) {
    $now += $line eq "begin\n" ? 1 : -1;
    $began++ if $line eq "begin\n";
    $most = $now if $now > $most;
}
is($began, 12, 'all of them ran');
is($most, 2, 'two at a time, never three');

# One at a time: the second begins when the first has ended.
my $first = post_run('one');
wait_for('the first to start', 10, sub { run_get($first)->{status} eq 'running' });
my $second = post_run('one');
my $other = run_ends_as('another task is not held up', 'completed', 'noop');
is(run_get($second)->{status}, 'submitted', 'the second waits');
api('POST', "/interrupt/$first");
is(run_end($first)->{status}, 'interrupted', 'the first is interrupted');
wait_for('the second to start', 10, sub { run_get($second)->{status} eq 'running' });
pass('then the second starts');
api('POST', "/interrupt/$second");
is(run_end($second)->{status}, 'interrupted', 'and is interrupted too');

done();

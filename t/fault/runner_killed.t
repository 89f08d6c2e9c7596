#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The runner is killed: nothing that came of it stays alive, what it ran ends as process-lost (or is
# queued again where the task says so), and the next runner works.
use strict;
use warnings FATAL => 'all';
use WfMetrics qw(read_metrics);
use WfServer qw(is_alive pid_of pids_of);
use WfTest;

sub restarts
{
    my %metrics = read_metrics(api('GET', '/metrics')->body);
    return $metrics{dbsync_wf_runner_restarts_total};
}

my $file = state_file('lost-stubborn');
my $lost = post_run('stubborn', '{"file": "lost-stubborn"}', project => '602');
my @tree = forked_tree($file);
my $again_file = state_file('lost-rerun');
my $again = post_run('rerun', '{"file": "lost-rerun"}', project => '602');
wait_for('the other program', 20, sub { -s $again_file });

my $restarts = restarts();
my $runner = pid_of('runner');
kill 'KILL', $runner or die "kill $runner: $!\n";

my $run = run_end($lost);
is(scalar(grep { is_alive($_) } @tree), 0, 'nothing of it is alive once the status is final');
is($run->{status}, 'error', 'the run ended as an error');
is($run->{error}{type}, 'process-lost', 'that says its process was lost');

is(run_end($again)->{status}, 'completed', 'a task that may be repeated was');
open my $in, '<', $again_file or die "$again_file: $!\n";
is(scalar(() = join('', <$in>) =~ /lost-rerun/g), 2, 'from its beginning');

isnt(wait_for('another runner', 10, sub { (pids_of('runner'))[0] }), $runner,
    'there is another runner');
is(restarts(), $restarts + 1, 'and its figures say so');
run_ends_as('which works', 'completed', 'noop', '{}', project => '602');

done(qr/WF0164: wf-runner/, qr/WF0125: runner \d+ was lost/);

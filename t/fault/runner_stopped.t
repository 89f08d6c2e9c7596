#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A runner that is stopped, not dead, is replaced before its lease ends: what it ran is ended and says
# so, and what may be repeated is executed again when nothing of the first time is alive.
use strict;
use warnings FATAL => 'all';
use WfServer qw(is_alive pid_of pids_of);
use WfTest;

my $file = state_file('stopped-stubborn');
my $lost = post_run('stubborn', '{"file": "stopped-stubborn"}', project => '602');
my @tree = forked_tree($file);
my $again_file = state_file('stopped-rerun');
my $again = post_run('rerun', '{"file": "stopped-rerun"}', project => '602');
wait_for('the other program', 20, sub { -s $again_file });

my $runner = pid_of('runner');
kill 'STOP', $runner or die "kill $runner: $!\n";
my $next = post_run('noop', '{}', project => '602');
is(run_get($lost)->{status}, 'running', 'nobody knows of it yet');

my $run = run_end($lost, seconds => 30);
is(scalar(grep { is_alive($_) } @tree), 0, 'nothing of it is alive once the status is final');
is($run->{status}, 'error', 'the run ended as an error');
is($run->{error}{type}, 'process-lost', 'that says its process was lost');
ok(!is_alive($runner), 'the stopped runner is gone');

is(run_end($next)->{status}, 'completed', 'what was posted meanwhile is executed');
is(run_end($again)->{status}, 'completed', 'a task that may be repeated was');
open my $in, '<', $again_file or die "$again_file: $!\n";
is(scalar(() = join('', <$in>) =~ /stopped-rerun/g), 2, 'from its beginning');
is_deeply(run_get($lost), $run, 'the final status stays');
isnt((pids_of('runner'))[0], $runner, 'there is another runner');

done(qr/WF0176: /, qr/WF0164: wf-runner/, qr/WF0125: runner \d+ was lost/);

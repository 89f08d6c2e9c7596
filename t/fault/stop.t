#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# stop ends what runs, with all that came of it, and records it; what a task says may be repeated is
# queued and goes on at the next start; and no process of ours stays.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfConfig qw(server_var);
use WfHttpd;
use WfServer qw(httpd is_alive parent_pid pid_of pids_of);
use WfTest;

my $file = state_file('stop-stubborn');
my $stopped = post_run('stubborn', '{"file": "stop-stubborn"}', project => '602');
my @tree = forked_tree($file);
my $again_file = state_file('stop-rerun');
my $again = post_run('rerun', '{"file": "stop-rerun"}', project => '602');
wait_for('the other program', 20, sub { -s $again_file });

my @ours = map { pid_of($_) } qw(supervisor keeper runner);
my $parent = parent_pid();
httpd('stop');
wait_for('the end of httpd and of our processes', 30,
    sub { !grep { is_alive($_) } $parent, @ours, @tree });
pass('httpd stopped, and with it our processes and what they ran');
ok(!-e server_var('t_logs') . '/dbsync_wf/env', 'nothing of it is left in shared memory');

httpd('start');
wait_for('the server to serve', 20, sub { eval { api('GET', '/status/none')->status == 404 } });
my $run = run_end($stopped);
is($run->{status}, 'error', 'the run ended as an error');
is($run->{error}{type}, 'server-stopped', 'that says the server was stopped');
is(run_end($again)->{status}, 'completed', 'a task that may be repeated was');
run_ends_as('the next one works', 'completed', 'noop', '{}', project => '602');

# However long the grace: a stop takes no longer than httpd gives its own children, 9 seconds.
my $patient = WfHttpd->new('stop', lines => "DbsyncWfKillGrace 1h\n");
$patient->start;
my $patient_file = state_file('stop-patient');
$stopped = $patient->post_run(602, 'stubborn', '{"file": "stop-patient"}');
@tree = forked_tree($patient_file);
my $began = time;
$patient->stop;
cmp_ok(time - $began, '<', 9, 'with a grace of an hour, too, a stop is a matter of seconds');
is(scalar(grep { is_alive($_) } @tree), 0, 'what ran is gone');
$patient->start;
is($patient->run_end($stopped)->{error}{type}, 'server-stopped', 'and its end is recorded');
$patient->stop;

done(qr/AH01574/, qr/WF0353/);

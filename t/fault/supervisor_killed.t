#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The supervisor is killed: keeper and runner notice and go, what ran is ended and says so, and httpd
# starts another supervisor that goes on where they were.
use strict;
use warnings FATAL => 'all';
use WfServer qw(is_alive pid_of pids_of);
use WfTest;

my $file = state_file('orphans');
my $pid = post_run('stubborn', '{"file": "orphans"}', project => '602');
my @tree = forked_tree($file);
my @before = map { pid_of($_) } qw(supervisor keeper runner);
kill 'KILL', $before[0] or die "kill $before[0]: $!\n";

wait_for('the end of the processes', 20, sub { !grep { is_alive($_) } @before });
pass('keeper and runner went with their supervisor');
wait_for('the end of what ran', 20, sub { !grep { is_alive($_) } @tree });
pass('and what they ran with them');
wait_for('another supervisor', 20,
    sub { pids_of('supervisor') && pids_of('keeper') && pids_of('runner') });
my $run = run_end($pid, seconds => 30);
is($run->{status}, 'error', 'the run ended as an error');
like($run->{error}{type}, qr/^(?:server-stopped|process-lost)$/, 'that says why');
run_ends_as('the next one works', 'completed', 'noop', '{}', project => '602');

done(qr/WF0360: the supervisor/, qr/WF0125: runner \d+ was lost/, qr/WF0187: /, qr/WF0186: /,
    qr/WF019[124]: /, qr/WF0101: /);

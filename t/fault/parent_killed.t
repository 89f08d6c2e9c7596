#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# httpd's parent is killed: supervisor, keeper and runner notice and go, with all that runs. The next
# start recovers by itself, and no run is left without an end.
use strict;
use warnings FATAL => 'all';
use WfServer qw(children_of httpd is_alive parent_pid pid_of);
use WfTest;

my $ended = run_ends_as('a run before', 'completed', 'noop', '{}', project => '602');
my $file = state_file('parent-stubborn');
my $lost = post_run('stubborn', '{"file": "parent-stubborn"}', project => '602');
my @tree = forked_tree($file);
my @ours = map { pid_of($_) } qw(supervisor keeper runner);
my $parent = parent_pid();
my @children = grep { $_ != $ours[0] } children_of($parent);
kill 'KILL', $parent or die "kill $parent: $!\n";

wait_for('the end of our processes and of what they ran', 30,
    sub { !grep { is_alive($_) } @ours, @tree });
pass('our processes went, and what they ran went with them');

# httpd's own children may stay and hold its port; a service manager ends them.
kill 'KILL', @children;
# Until they have been reaped, too, httpd takes its last process id for a server that still runs.
wait_for('the end of httpd', 60, sub { !grep { -e "/proc/$_" } $parent, @children });

httpd('start');
wait_for('the server to serve', 20, sub { eval { api('GET', '/status/none')->status == 404 } });
is_deeply(run_get($ended->{pid}), $ended, 'a run that had ended is as it was');
my $run = run_end($lost, seconds => 40);
is($run->{status}, 'error', 'the one that was running ended as an error');
like($run->{error}{type}, qr/^(?:server-stopped|process-lost)$/, 'that says why');
run_ends_as('the next one works', 'completed', 'noop', '{}', project => '602');

done(qr/WF0125: runner \d+ was lost/, qr/WF018[67]: /, qr/WF019[124]: /, qr/AH00098/, qr/AH01574/,
    qr/WF0353/);

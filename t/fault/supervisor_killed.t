#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The supervisor is killed: keeper and runner notice and go, what ran is ended and says so, and httpd
# starts another supervisor that goes on where they were. The same where the runner is killed with it,
# so that nobody is left who knows what ran.
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

# A stubborn run, and what came of its program.
sub start_stubborn
{
    my ($name) = @_;
    my $path = state_file($name);
    my $run = post_run('stubborn', qq({"file": "$name"}), project => '602');
    return ($run, forked_tree($path));
}

sub next_supervisor
{
    my ($last) = @_;
    return wait_for('another supervisor', 20,
        sub { my ($now) = pids_of('supervisor'); $now && $now != $last && $now });
}

# The supervisor is stopped first, so that it does not see what its runner leaves.
my ($both, @left) = start_stubborn('both');
my ($supervisor, $runner) = map { pid_of($_) } qw(supervisor runner);
kill 'STOP', $supervisor or die "kill $supervisor: $!\n";
kill 'KILL', $runner or die "kill $runner: $!\n";
wait_for('the end of the runner', 20, sub { !is_alive($runner) });
kill 'KILL', $supervisor or die "kill $supervisor: $!\n";
next_supervisor($supervisor);
wait_for('the end of what ran', 20, sub { !grep { is_alive($_) } @left });
is(run_end($both, seconds => 30)->{status}, 'error', 'runner and supervisor at once leave nothing');

# The runner is stopped first, so that it cannot end what it runs before it is killed.
my ($after, @later) = start_stubborn('after');
($supervisor, $runner) = map { pid_of($_) } qw(supervisor runner);
kill 'STOP', $runner or die "kill $runner: $!\n";
kill 'KILL', $supervisor or die "kill $supervisor: $!\n";
next_supervisor($supervisor);
is(run_end($after, seconds => 30)->{status}, 'error', 'a runner that hears nothing is lost');
is(scalar(grep { is_alive($_) } $runner, @later), 3, 'and alive, with what it runs');
kill 'KILL', $runner or die "kill $runner: $!\n";
wait_for('the end of what ran', 20, sub { !grep { is_alive($_) } @later });
pass('until it is killed: then nothing is left of it');
run_ends_as('the next one works again', 'completed', 'noop', '{}', project => '602');

done(qr/WF0360: the supervisor/, qr/WF0125: runner \d+ was lost/, qr/WF0187: /, qr/WF0186: /,
    qr/WF019[124]: /, qr/WF0101: /);

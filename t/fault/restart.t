#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# graceful and restart leave supervisor, keeper and runner as they are, and cut no run short. Changed
# settings replace all three, and still no run is lost or cut short.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(server_var write_extra);
use WfServer qw(httpd is_alive pid_of pids_of);
use WfTest;

# Posts a run that takes a while, and comes back when it has begun.
sub begin_slow
{
    my ($name) = @_;
    my $file = state_file($name);
    my $pid = post_run('slow', qq({"file": "$name"}), project => '602');
    wait_for("the beginning of $name", 20, sub { -s $file });
    return $pid;
}

sub completes
{
    my ($pid, $name, $why) = @_;
    my $run = run_end($pid);
    is($run->{status}, 'completed', $why) or diag(explain($run));
    open my $in, '<', server_var('t_state') . "/$name" or die "$name: $!\n";
    is(scalar(() = join('', <$in>) =~ /\Q$name\E/g), 1, 'and was executed once');
    return;
}

# Waits until the server has taken up its configuration again.
sub serves
{
    my ($old) = @_;
    wait_for('the server to have restarted', 20, sub {
        my $answer = eval { api('GET', '/status/none') } or return;
        return $answer->status == 404;
    });
    return;
}

for my $action (qw(graceful restart)) {
    my @before = map { pid_of($_) } qw(supervisor keeper runner);
    my $pid = begin_slow("across-$action");
    httpd($action);
    serves();
    is(join(' ', map { pid_of($_) } qw(supervisor keeper runner)), "@before",
        "$action keeps the processes");
    completes($pid, "across-$action", "a run goes on across $action");
}

for my $action (qw(graceful restart)) {
    my @before = map { pid_of($_) } qw(supervisor keeper runner);
    my $pid = begin_slow("changed-$action");
    write_extra('restart', 'DbsyncWfThreads ' . ($action eq 'graceful' ? 12 : 13) . "\n");
    httpd($action);
    run_ends_as("after $action with other settings a run works", 'completed', 'noop', '{}',
        project => '602');
    completes($pid, "changed-$action", 'the one that was running goes on to its end');
    wait_for('the old processes to go', 20, sub { !grep { is_alive($_) } @before });
    pass('then the old processes go');
    is(scalar(map { pids_of($_) } qw(supervisor keeper runner)), 3, 'and the new ones are three');
}

# A rotated error log: what our processes say must go to the new one.
{
    my $error_log = server_var('t_logs') . '/error_log';
    my $old = pid_of('supervisor');
    my $pid = begin_slow('across-rotation');
    rename $error_log, "$error_log.1" or die "$error_log: $!\n";
    httpd('graceful');
    completes($pid, 'across-rotation', 'a run goes on across a rotation of the log');
    wait_for('the old processes to go', 20, sub { !is_alive($old) });
    my $keeper = wait_for('a keeper', 20, sub { (pids_of('keeper'))[0] });
    my ($open) = grep {m{/error_log(?:\.1)?$}} map { readlink // () } glob "/proc/$keeper/fd/*";
    is($open, $error_log, 'the keeper writes to the new log');
    # The rest of the tests look at one file.
    open my $in, '<', $error_log or die "$error_log: $!\n";
    open my $out, '>>', "$error_log.1" or die "$error_log.1: $!\n";
    print {$out} <$in>;
    close $out or die "$error_log.1: $!\n";
    rename "$error_log.1", $error_log or die "$error_log: $!\n";
}

# The settings of the other tests again.
write_extra('restart');
my $old = pid_of('supervisor');
httpd('graceful');
wait_for('the settings of before', 20,
    sub { !is_alive($old) && pids_of('supervisor') && pids_of('keeper') && pids_of('runner') });
run_ends_as('and the server works as before', 'completed', 'noop', '{}', project => '602');

done(qr/AH01574/, qr/WF0353/);

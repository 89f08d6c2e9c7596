#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# DbsyncWfRetention: a run is kept that long after its end, and then it is unknown; what has not
# ended is kept however old it is.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfConfig qw(write_extra);
use WfServer qw(httpd is_alive pid_of pids_of);
use WfTest;

# Replaces the supervisor by one with the settings as they are now.
sub replaced
{
    my $old = pid_of('supervisor');
    httpd('graceful');
    wait_for('the new settings', 20,
        sub { !is_alive($old) && pids_of('supervisor') && pids_of('keeper') && pids_of('runner') });
    return;
}

my $kept = run_ends_as('a run', 'completed', 'noop')->{pid};
write_extra('retention', "DbsyncWfRetention 15\n");
replaced();

my $long = post_run('long');
wait_for('the long one to start', 10, sub { run_get($long)->{status} eq 'running' });
my $waits = post_run('one');
my $queued = post_run('one');
my $ended = run_ends_as('another', 'completed', 'noop')->{pid};
my $began = time;
wait_for('the end of its retention', 60, sub { api('GET', "/status/$ended")->status == 404 });
cmp_ok(time - $began, '>=', 14.9, 'it was kept for the time that was said');
is(api('GET', "/status/$kept")->status, 404, 'one from before the setting went, too');
is_problem(api('POST', "/interrupt/$ended"), 404, 'unknown-run', 'it is as if it had never been');
is(run_get($long)->{status}, 'running', 'one that runs is kept');
is(run_get($queued)->{status}, 'submitted', 'and one that waits');

for my $pid ($queued, $waits, $long) {
    api('POST', "/interrupt/$pid");
    is(run_end($pid)->{status}, 'interrupted', 'it ends as any other');
}
write_extra('retention');
replaced();

done(qr/AH01574/, qr/WF0353/);

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# An httpd child that is killed takes nothing of ours with it: what it accepted is executed.
use strict;
use warnings FATAL => 'all';
use WfServer qw(children_of parent_pid pid_of);
use WfTest;

my @before = map { pid_of($_) } qw(supervisor keeper runner);
my @pids = map { post_run('noop', '{}', project => '602') } 1 .. 20;
for my $child (grep { $_ != $before[0] } children_of(parent_pid())) {
    kill 'KILL', $child or die "kill $child: $!\n";
}
wait_for('the server to serve', 20, sub { eval { api('GET', '/status/none')->status == 404 } });
is(scalar(grep { run_end($_)->{status} eq 'completed' } @pids), 20,
    'all that was accepted was executed');
is(join(' ', map { pid_of($_) } qw(supervisor keeper runner)), "@before",
    'our processes were not touched');

# A killed child may have been about to say something else; httpd says that it is gone.
done(qr/AH00051|AH00052|AH00288|AH10292/);

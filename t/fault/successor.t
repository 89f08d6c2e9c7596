#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A server that starts while what the one before ran is still being ended: that is recorded, requests
# are served meanwhile, and nobody's keeper or runner has to be killed for it. And a runner that has not
# joined the store yet, because another process holds its lock, ends when the server does.
use strict;
use warnings FATAL => 'all';
use Fcntl qw(:flock);
use Time::HiRes qw(time);
use WfHttpd;
use WfServer qw(is_alive);
use WfTest;

my $RUNS = 8;
my $httpd = WfHttpd->new('successor', lines => "DbsyncWfKillGrace 3\n");

# Stops httpd's parent alone, and waits until that is gone.
sub stop_parent
{
    my $parent = $httpd->pid;
    kill 'TERM', $parent;
    wait_for("the end of httpd's parent", 20, sub { !is_alive($parent) });
    return;
}

# All of them ignore SIGTERM, and so are at an end at the same moment: when the grace is over.
$httpd->start;
my $log = $httpd->log_from_here;
my @files = map { state_file("successor-$_") } 1 .. $RUNS;
my @runs = map { $httpd->post_run(602, 'stubborn', qq({"file": "successor-$_"})) } 1 .. $RUNS;
my @trees = map { forked_tree($_) } @files;
my @before = map { $httpd->pid_of($_) } qw(supervisor keeper runner);
stop_parent();
is(scalar(grep { is_alive($_) } @before), 3, 'the processes of the server before are at work still');

my $began = time;
$httpd->start;
my $status = $httpd->run_get($runs[0])->{status};
cmp_ok(time - $began, '<', 2, 'the next server answers meanwhile');
is($status, 'running', 'and says how the run stands');
$httpd->run_end($httpd->post_run(602, 'noop'));
cmp_ok(time - $began, '<', 2.5, 'and executes');

my %ends;
$ends{$httpd->run_end($_)->{error}{type} // ''}++ for @runs;
is_deeply(\%ends, {'server-stopped' => $RUNS}, 'what ran when the server stopped is recorded as that');
is(scalar(grep { is_alive($_) } @trees), 0, 'and is gone');
wait_for('the end of the processes before', 20, sub { !grep { is_alive($_) } @before });
is_deeply([$httpd->log_lines(qr/WF01(?:67|72|76|95)/)], [], 'nobody had to be killed');
$httpd->run_end($httpd->post_run(602, 'noop'));
pass('the keeper has changed, and the next server works');
$httpd->stop;

# A keeper cannot begin, and so no runner can join.
open my $lock, '>', $httpd->state_dir . '/keeper.lock' or die "keeper.lock: $!\n";
flock $lock, LOCK_EX or die "keeper.lock: $!\n";
$httpd->start;
wait_for('a runner', 20, sub { $httpd->pid_of('runner') });
$began = time;
$httpd->stop;
cmp_ok(time - $began, '<', 5, 'a server whose runner has not joined the store ends at once');
is_deeply([$httpd->log_lines(qr/WF0167/)], [], 'and nobody had to be killed');
close $lock or die "keeper.lock: $!\n";
$httpd->start;
$httpd->run_end($httpd->post_run(602, 'noop'));
pass('and the next one works');
$httpd->stop;

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# /dev/shm has no room for the database's shared memory: it lies in the state directory then, with
# all the room that it may need claimed at once, so that a disk that fills up ends nobody. Where the
# disk has no room for it either, every request is refused, and it starts when there is.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(server_var);
use WfMount qw(fill free_room with_tmpfs);
use WfHttpd;
use WfTest;

my $disk = server_var('t_state') . '/full_memory_mount';
with_tmpfs($disk => '120m', '/dev/shm' => '1m');

my $httpd = WfHttpd->new('full_memory', state_dir => "$disk/runs");
my $filler = "$disk/filler";
fill($filler);
$httpd->start;
wait_for('the keeper to say what it lacks', 20,
    sub { $httpd->log_lines(qr/WF0154: \S+ has no room for the region files: free some, or lower/) });
my $answer = $httpd->post('602', 'noop');
is_problem($answer, 503, 'store-unavailable', 'without room for shared memory a run is refused');
cmp_ok($answer->{seconds}, '<', 3, 'and at once');
free_room($filler);
my @pids = map { $httpd->accepted('602', 'noop') } 1 .. 5;
pass('with room on the disk it starts');
is(scalar $httpd->log_lines(qr/WF0151: the region files lie in the state directory/) > 0, 1,
    'and says where the shared memory lies');
is($httpd->run_end($_)->{status}, 'completed', 'a run ends') for @pids;

# More than what the next keeper has in its memory when it begins.
my $text = 'x' x 3000;
my @long = map { $httpd->accepted('600', 'echo', qq("$text")) } 1 .. 150;
$httpd->run_end($_) for @long;
$httpd->stop;
$httpd->start;
wait_for('an answer', 20, sub { eval { $httpd->api('GET', "/status/$pids[0]") } });
my $keeper = wait_for('the keeper', 20, sub { $httpd->pid_of('keeper') });
fill($filler);
my $large = '"' . ('x' x 900_000) . '"'; # the log may have room for some
wait_for('a run to be refused', 20, sub { $httpd->post('602', 'noop', $large)->status == 503 });
my @wrong = grep { $httpd->run_get($_)->{status} ne 'completed' } @pids, @long;
is(scalar @wrong, 0, 'on a full disk statuses are answered, and nobody dies of it');
free_room($filler);
push @pids, $httpd->accepted('602', 'noop');
is($httpd->run_end($_)->{status}, 'completed', 'with room again everything is there') for @pids;
is($httpd->pid_of('keeper'), $keeper, 'and the keeper never died');
$httpd->stop;

done();

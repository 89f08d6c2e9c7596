#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The disk of the state directory fills up: runs are refused, statuses are answered, what runs goes on
# and its end is recorded when there is room again; nothing that was acknowledged is lost, and nobody
# has to restart anything. The log says when it begins and when it is over, and not much between.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfConfig qw(server_var);
use WfMount qw(fill free_room with_tmpfs);
use WfHttpd;
use WfTest;

my $disk = server_var('t_state') . '/full_disk_mount';
with_tmpfs($disk => '24m');

my $httpd = WfHttpd->new('full_disk', state_dir => "$disk/runs");
my $filler = "$disk/filler";
my (%acknowledged, $refused);
my $error = qr/\[dbsync_wf:(?:error|crit|alert|emerg|warn)\]/;

# Posts and looks at statuses for some seconds; all posts must be refused, all statuses answered.
sub hold_on
{
    my ($seconds, %was) = @_;
    my ($posts, $looks, @wrong) = (0, 0);
    my $end = time + $seconds;
    while (time < $end) {
        my $post = $httpd->post('602', 'noop');
        $posts++;
        $refused++ if $post->status == 503;
        push @wrong, 'POST ' . $post->status if $post->status != 503;
        for my $pid (keys %was) {
            my $run = $httpd->run_get($pid);
            $looks++;
            push @wrong, "$pid changed" if !eq_hash($run, $was{$pid});
        }
    }
    is_deeply(\@wrong, [], "$posts runs were refused and $looks statuses answered as before");
    return;
}

$httpd->start;
$acknowledged{$httpd->accepted('602', 'noop')} = 'completed' for 1 .. 20;
my %was = map { $_ => $httpd->run_end($_) } keys %acknowledged;

my @slow = map {
    my $file = state_file("full-disk-$_");
    my $pid = $httpd->accepted('602', 'slow', qq({"file": "full-disk-$_"}));
    wait_for('it to run', 20, sub { -s $file });
    $acknowledged{$pid} = 'completed';
    $pid;
} 1 .. 3;
my $keeper = $httpd->pid_of('keeper');

fill($filler);
my $answer = wait_for('a run to be refused', 20, sub {
    my $got = $httpd->post('602', 'noop');
    $acknowledged{$got->json->{pid}} = 'completed' if $got->status == 202;
    return $got->status == 202 ? undef : $got;
});
is_problem($answer, 503, 'store-unavailable', 'on a full disk a run is refused');
like($answer->header('Retry-After'), qr/^\d+$/, 'with Retry-After');
cmp_ok($answer->{seconds}, '<', 2, 'and at once');
my @said = $httpd->log_lines(qr/WF0146: /);
is(scalar @said, 1, 'the log says so, once');
like($said[0] // '', qr/the state directory \S+ cannot be written: .*free space.*No space left on device/,
    'with what to do');
hold_on(4, %was);
is($httpd->run_get($_)->{status}, 'running', 'the end of what has ended meanwhile waits') for @slow;
like($httpd->api('GET', '/metrics')->body, qr/^dbsync_wf_store_writable 0$/m, 'the figures say so');
my $log = $httpd->log_from_here;
hold_on(3, %was);
my @more = grep { $_ =~ $error } $log->lines;
is(scalar @more, 0, 'while it lasts the log is quiet') or diag(@more);
my $before = () = $httpd->log_lines($error);
cmp_ok($before, '<', 40, "$before lines in all speak of it");

free_room($filler);
my $freed = time;
$acknowledged{$httpd->accepted('602', 'noop', '{}', 10)} = 'completed';
cmp_ok(time - $freed, '<', 5, 'with room again runs are accepted');
for my $pid (sort keys %acknowledged) {
    is($httpd->run_end($pid)->{status}, $acknowledged{$pid}, "run $pid ended as it should");
}
is($httpd->pid_of('keeper'), $keeper, 'all of that by the same keeper');
wait_for('the end of it in the log', 5, sub { $httpd->log_lines(qr/WF0148: .* can be written again, after \d+ s/) });
pass('the log says that it is over');
like($httpd->api('GET', '/metrics')->body, qr/^dbsync_wf_store_writable 1$/m, 'and so do the figures');

# The same again, and now the keeper is killed: its successor needs room to recover.
fill($filler);
wait_for('a run to be refused', 20, sub { $httpd->post('602', 'noop')->status == 503 });
kill 'KILL', $keeper or die "kill $keeper: $!\n";
wait_for('the next keeper to say what it lacks', 20, sub { $httpd->log_lines(qr/WF0149: .*No space left/) });
for my $request (['GET', '/status/' . (keys %was)[0]], ['POST', '/interrupt/' . (keys %was)[0]]) {
    my $got = $httpd->api(@{$request});
    is_problem($got, 503, 'store-unavailable', "$request->[0] is refused when it cannot start");
    cmp_ok($got->{seconds}, '<', 3, 'and at once, or nearly');
}
like($httpd->api('GET', '/metrics')->body, qr/^dbsync_wf_store_open 0$/m, 'the figures say that much');
free_room($filler);
$freed = time;
wait_for('an answer', 15, sub { $httpd->api('GET', '/status/' . (keys %was)[0])->status == 200 });
cmp_ok(time - $freed, '<', 8, 'it comes up by itself when there is room');
for my $pid (sort keys %acknowledged) {
    is($httpd->run_end($pid)->{status}, $acknowledged{$pid}, 'and knows all that was acknowledged');
}
is($httpd->run_end($httpd->accepted('602', 'noop'))->{status}, 'completed', 'and executes runs');

# Room for the log, and none for the tables: runs are accepted, and the checkpoint that fails is taken
# when there is room, though nothing more is written.
fill($filler);
truncate $filler, (-s $filler) - 5_500_000 or die "$filler: $!\n";
my $body = '"' . ('x' x 900_000) . '"';
my @large;
wait_for('a checkpoint to fail', 30, sub {
    my $got = $httpd->post('602', 'noop', $body);
    push @large, $got->json->{pid} if $got->status == 202;
    return scalar $httpd->log_lines(qr/WF0146: .* takes no checkpoint: .*No space left/);
});
cmp_ok(scalar @large, '>=', 3, 'the runs that the log had room for were accepted');
$keeper = $httpd->pid_of('keeper');
my $until = time + 2.5; # longer than two attempts are apart
wait_for('more attempts', 5, sub { $httpd->run_get($large[0]); time > $until });
is(scalar $httpd->log_lines(qr/WF0148: .* takes checkpoints again/), 0, 'which is not over by itself');
like($httpd->api('GET', '/metrics')->body, qr/^dbsync_wf_store_checkpointing 0$/m, 'and shows in the figures');
free_room($filler);
wait_for('the checkpoint', 10, sub { $httpd->log_lines(qr/WF0148: .* takes checkpoints again/) });
cmp_ok(-s "$disk/runs/data/payloads.db", '>', 2_500_000, 'a checkpoint that failed is taken when it can be');
is($httpd->run_end($_)->{status}, 'completed', 'a run of before ended') for @large;
is($httpd->pid_of('keeper'), $keeper, 'the keeper is the same');
$httpd->stop;

done();

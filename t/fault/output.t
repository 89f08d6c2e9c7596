#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What a run puts out is in its log once, in order and without a hole, whatever is killed or restarted
# meanwhile; and a program never waits for the store.
use strict;
use warnings FATAL => 'all';
use WfHttpd;
use WfTest;

my $TIME = qr/\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\]/;
my $BEGINS = qr/^$TIME main \/ count \(exec\) begins\n/;
my $ENDS = qr/$TIME main \/ count \(exec\) ends: completed\n$/;

my $httpd = WfHttpd->new('output', lines => "DbsyncWfOutputLimit 1G\n");

sub log_of
{
    my ($pid) = @_;
    my $answer = $httpd->api('GET', "/logs/$pid");
    die "log of $pid: ", $answer->status, "\n" if $answer->status != 200;
    return $answer->body;
}

sub touch
{
    my ($file) = @_;
    open my $out, '>', $file or die "$file: $!\n";
    close $out or die "$file: $!\n";
    return;
}

# Waits until the log of a run has more than so many bytes.
sub await_log
{
    my ($pid, $bytes) = @_;
    return wait_for('more of the log', 20, sub { my $log = log_of($pid); length $log > $bytes && $log });
}

# Takes the numbers from 1 on off the front of a text; how many there are.
sub take_numbers
{
    my ($text) = @_;
    my $count = 0;
    $count++ while ${$text} =~ s/^(\d+)\n// && ($1 == $count + 1 || die "$1 follows $count\n");
    return $count;
}

# Kills a process of the server, and waits until there is another one.
sub kill_one
{
    my ($kind) = @_;
    my $pid = wait_for("a $kind", 20, sub { $httpd->pid_of($kind) });
    kill 'KILL', $pid or die "kill $pid: $!\n";
    wait_for("another $kind", 20, sub { my $now = $httpd->pid_of($kind); $now && $now != $pid });
    return;
}

$httpd->start;

# The keeper is killed, again and again, while a program prints.
my $file = state_file('output-keeper');
my $pid = $httpd->post_run('602', 'count', '{"file": "output-keeper"}');
my $log = '';
for (1 .. 5) {
    $log = await_log($pid, length $log);
    kill_one('keeper');
}
my $more = await_log($pid, length $log);
is(substr($more, 0, length $log), $log, 'what was shown once stays');
touch($file);
is($httpd->run_end($pid)->{status}, 'completed', 'a run whose keeper is killed goes on');
$log = log_of($pid);
ok($log =~ s/$BEGINS// && $log =~ s/$ENDS//, 'its log has its beginning and its end');
my $count = take_numbers(\$log);
is($log, '', 'and between them each line once, in order');
cmp_ok($count, '>', 100, 'of which there were many');

# The runner is killed: what it had handed over stays, and the next execution goes on behind it.
$file = state_file('output-runner');
$pid = $httpd->post_run('602', 'count-again', '{"file": "output-runner"}');
await_log($pid, 100);
kill_one('runner');
wait_for('the run to begin again', 20, sub { log_of($pid) =~ /begins again.*\n.*begins\n1\n/ });
touch($file);
is($httpd->run_end($pid)->{status}, 'completed', 'a run whose runner is killed is executed again');
$log = log_of($pid);
ok($log =~ s/$BEGINS//, 'its log begins as it did');
cmp_ok(take_numbers(\$log), '>', 10, 'has what the first execution had put out');
like($log, qr/^$TIME the run begins again: its execution was lost, or given up\n/, 'says that there was another');
$log =~ s/^.*\n//;
ok($log =~ s/$BEGINS// && $log =~ s/$ENDS//, 'which has its beginning and its end');
cmp_ok(take_numbers(\$log), '>', 0, 'and what it has put out');
is($log, '', 'and nothing else');

# One that may not be executed again ends where it was.
$file = state_file('output-lost');
$pid = $httpd->post_run('602', 'count', '{"file": "output-lost"}');
$log = await_log($pid, 100);
kill_one('runner');
is($httpd->run_end($pid)->{error}{type}, 'process-lost', 'a run that is lost');
$more = log_of($pid);
is(substr($more, 0, length $log), $log, 'keeps its log');

# The server is stopped and started.
$file = state_file('output-stop');
$pid = $httpd->post_run('602', 'count-again', '{"file": "output-stop"}');
await_log($pid, 100);
$httpd->stop;
$httpd->start;
wait_for('the run to begin again', 20, sub { log_of($pid) =~ /begins again.*\n.*begins\n1\n/ });
touch($file);
is($httpd->run_end($pid)->{status}, 'completed', 'a run is executed again after a restart');
$log = log_of($pid);
ok($log =~ s/$BEGINS//, 'its log begins as it did');
cmp_ok(take_numbers(\$log), '>', 10, 'has what the first execution had put out');
like($log, qr/^(?:$TIME main \/ count .exec. ends: interrupted\n)$TIME the run begins again/,
    'to its very end, and goes on');

# The keeper is stopped: the program is not, and the log says what it could not take.
my $bytes = 20_000_000;
my ($begin, $end) = (state_file('output-begin'), state_file('output-end'));
$pid = $httpd->post_run('602', 'flood', qq({"bytes": $bytes, "begin": "output-begin", "end": "output-end"}));
my $first = await_log($pid, 0);
my $keeper = $httpd->pid_of('keeper');
kill 'STOP', $keeper or die "kill $keeper: $!\n";
touch($begin);
wait_for('the program to have printed all', 15, sub { -e $end });
kill 'CONT', $keeper;
is($httpd->run_end($pid, 60)->{status}, 'completed', 'a program prints on while the store is away');
$log = log_of($pid);
my ($missing, $notes) = (0, 0);
while ($log =~ s/\n?$TIME (\d+) bytes of output are missing here: the run store did not take them in time\n//) {
    $missing += $1;
    $notes++;
}
my $all = $bytes + 2 * length($first) + length('ends: completed') - length('begins');
cmp_ok($missing, '>', 0, 'the log has not all of it');
cmp_ok(abs(length($log) + $missing - $all), '<=', $notes, 'and says how much is missing') # a line end each
    or diag(length($log), " bytes and $missing missing, in $notes places");
is(substr($log, 0, length $first), $first, 'and has its beginning');

# A log that is not kept; the limit is the server's, and a graceful restart takes it up.
$httpd->configure("DbsyncWfOutputLimit 0\n");
my $supervisor = $httpd->pid_of('supervisor');
$httpd->control('graceful');
wait_for('another supervisor', 20, sub { my $now = $httpd->pid_of('supervisor'); $now && $now != $supervisor });
$pid = wait_for('a run without a log', 20, sub {
    my $run = $httpd->accepted('602', 'noop');
    $httpd->run_end($run)->{status} eq 'completed' && log_of($run) eq '' && $run;
});
is($httpd->api('GET', "/logs/$pid")->header('Content-Length'), 0, 'no log is kept, and an empty one shown');
$httpd->stop;

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Berkeley DB's own tools are killed, again and again, while they are joined to the live environment and
# runs are posted and looked at. What they leave locked may stop the keeper: it is replaced, and nobody
# is answered 5xx or waits for longer than that takes; what was acknowledged is there and ends.
# WF_DB_TOOLS_SECONDS makes it longer.
use strict;
use warnings FATAL => 'all';
use File::Path qw(remove_tree);
use POSIX ();
use Time::HiRes qw(time);
use WfHttpd;
use WfTest;

plan(skip_all => 'db5.3_stat is not there: install db5.3-util') if !-x '/usr/bin/db5.3_stat';

my $SECONDS = $ENV{WF_DB_TOOLS_SECONDS} || 25;
# runner/ping.h: a keeper that answers nothing is replaced after 4 seconds; then its successor recovers,
# after a pause of 3 seconds where one has died just before (runner/daemon.c).
my $MOST = 9;
my $httpd = WfHttpd->new('db_tools');
my ($state, $folder) = ($httpd->state_dir, $httpd->folder);
my @TOOLS = (
    map({ ['db5.3_stat', '-h', "$state/env", @{$_}] }
        ['-e'], ['-m'], ['-CA'], ['-l'], ['-t'], ['-x'], ['-d', 'runs.db'], ['-MA']),
    ['db5.3_hotbackup', '-h', "$state/env", '-d', "$state/data", '-l', "$state/log", '-b', "$folder/copy"],
);

# Posts and looks, and writes what it learns into a file: "pid PID", "bad …", "most SECONDS".
sub be_client
{
    my ($number, $end) = @_;
    open my $out, '>', "$folder/said.$number" or die "$folder/said.$number: $!\n";
    my ($most, $pid) = (0);
    while (time < $end) {
        for my $what ('POST', 'GET') {
            next if $what eq 'GET' && !$pid;
            my $began = time;
            my $answer = eval {
                $what eq 'POST' ? $httpd->post('602', 'noop') : $httpd->api('GET', "/status/$pid");
            };
            my $took = time - $began;
            $most = $took if $took > $most;
            my $status = $answer ? $answer->status : "nothing: $@" =~ s/\s+/ /gr;
            if ($status eq ($what eq 'POST' ? 202 : 200)) {
                $pid = $answer->json->{pid};
                print {$out} "pid $pid\n" if $what eq 'POST';
            }
            else {
                print {$out} "bad $what $status\n";
            }
        }
        select undef, undef, undef, 0.01; # the load's pace
    }
    print {$out} "most $most\n";
    close $out or die "$folder/said.$number: $!\n";
    return;
}

# Starts a tool and kills it a little later; false where it had ended by itself.
sub kill_one
{
    my ($round) = @_;
    my @command = @{$TOOLS[$round % @TOOLS]};
    remove_tree("$folder/copy");
    mkdir "$folder/copy" or die "$folder/copy: $!\n";
    my $tool = fork // die "fork: $!\n";
    if (!$tool) {
        open STDOUT, '>', '/dev/null' or POSIX::_exit(1);
        open STDERR, '>', '/dev/null' or POSIX::_exit(1);
        exec @command or POSIX::_exit(1);
    }
    select undef, undef, undef, rand 0.02; # anywhere in its life
    kill 'KILL', $tool;
    waitpid $tool, 0;
    return ($? & 127) == 9;
}

$httpd->start;
$httpd->accepted('602', 'noop');
my $end = time + $SECONDS;
my @clients = map {
    my $number = $_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        my $ok = eval { be_client($number, $end); 1 };
        print STDERR $@ if !$ok;
        POSIX::_exit($ok ? 0 : 1);
    }
    $pid;
} 1 .. 3;
my ($rounds, $killed) = (0, 0);
while (time < $end) {
    $killed++ if kill_one($rounds++);
}
for my $client (@clients) {
    waitpid $client, 0;
    is($?, 0, 'a client went through');
}
my (@pids, @bad, @most);
for my $file (glob "$folder/said.*") {
    open my $in, '<', $file or die "$file: $!\n";
    while (<$in>) {
        push @pids, $1 if /^pid (\S+)/;
        push @bad, $1 if /^bad (.*)/;
        push @most, $1 if /^most (\S+)/;
    }
}
my ($most) = sort { $b <=> $a } @most;
my $replaced = () = $httpd->log_lines(qr/WF0172: /);
my $died = () = $httpd->log_lines(qr/WF0164: wf-keeper/);
note(sprintf '%d of %d tools were killed; %d posts; the keeper was replaced %d times and ended %d times; '
    . 'the longest request took %.1f s', $killed, $rounds, scalar @pids, $replaced, $died, $most);
cmp_ok($killed, '>', 20, "$killed tools were killed");
cmp_ok(scalar @pids, '>', 50, scalar(@pids) . ' runs were accepted');
is_deeply(\@bad, [], 'every request was answered, none 5xx');
cmp_ok($most, '<', $MOST, 'none took longer than it takes to replace a keeper');
my %ends;
$ends{$httpd->run_end($_, 60)->{status}}++ for @pids;
is_deeply(\%ends, {completed => scalar @pids}, 'each run that was acknowledged is there and has ended');
$httpd->stop;

done();

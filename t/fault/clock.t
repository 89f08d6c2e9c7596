#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The wall's clock is set an hour forward and back again under a server that works: nothing ends early
# (a task's timeout, a runner's lease), nothing hangs, and times that are shown follow the clock.
use strict;
use warnings FATAL => 'all';
use POSIX ();
use Time::HiRes qw(time);
use WfHttpd;
use WfTest;

my ($library) = glob '/usr/lib/*/faketime/libfaketimeMT.so.1';
plan(skip_all => 'libfaketime is not there: install faketime') if !$library;

# Sets the server's clock so many seconds off the real one. By renaming, since it is read at any time.
my $offset_file = state_file('clock-offset');
sub set_clock
{
    my ($offset) = @_;
    open my $out, '>', "$offset_file.new" or die "$offset_file.new: $!\n";
    printf {$out} "%+d\n", $offset;
    close $out or die "$offset_file.new: $!\n";
    rename "$offset_file.new", $offset_file or die "$offset_file: $!\n";
    return;
}

set_clock(0);
my $httpd = WfHttpd->new('clock',
    lines => "DbsyncWfThreads 4\nDbsyncWfKillGrace 1\n",
    env   => {
        LD_PRELOAD                  => $library,
        FAKETIME_TIMESTAMP_FILE     => $offset_file,
        FAKETIME_NO_CACHE           => 1,
        FAKETIME_DONT_FAKE_MONOTONIC => 1,
    },
);
$httpd->start;
wait_for('a run to complete',
    20, sub { $httpd->run_end($httpd->post_run(602, 'noop'))->{status} eq 'completed' });

# How far the time of a run is from the real one, in whole hours.
sub hours_off
{
    my ($text) = @_;
    my @part = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/ or die "no time: $text\n";
    my $seconds = (POSIX::mktime(reverse(@part[3 .. 5]), $part[2], $part[1] - 1, $part[0] - 1900)
        - POSIX::mktime(gmtime)) / 3600;
    return POSIX::floor($seconds + 0.5); # "%.0f" makes "-0" of a second that has just gone by
}

my @runners = $httpd->pids_of('runner');
for my $step ([3600, 'an hour forward'], [-3600, 'two hours back'], [0, 'an hour forward again']) {
    my ($offset, $name) = @{$step};
    my $began = time;
    my $long = $httpd->post_run(600, 'long');
    my $lasting = $httpd->post_run(605, 'lasting'); # longer than a lease
    my $timeout = $httpd->post_run(600, 'timeout');
    wait_for('the runs to start', 10,
        sub { !grep { $httpd->run_get($_)->{status} ne 'running' } $long, $lasting, $timeout });
    set_clock($offset);

    my $run = $httpd->run_end($timeout);
    my $took = time - $began;
    is(($run->{error} // {})->{type}, 'timeout', "$name: a timeout ends a run");
    cmp_ok($took, '>=', 1, 'not before its time');
    cmp_ok($took, '<', 8, 'and not long after it');

    $run = $httpd->run_end($httpd->post_run(602, 'noop'));
    is($run->{status}, 'completed', 'the next run is executed');
    is(hours_off($run->{submitTime}), $offset / 3600, 'its times are those of the clock');

    $httpd->api('POST', "/interrupt/$long");
    is($httpd->run_end($long)->{status}, 'interrupted', 'one that runs can be interrupted');

    $run = $httpd->run_end($lasting, 40);
    is($run->{status}, 'completed', 'one that lasts longer than a lease completes')
        or diag(explain($run));
    cmp_ok(time - $began, '>=', 12, 'in its own time');
}
is_deeply([$httpd->pids_of('runner')], \@runners, 'the runner is the same one');
$httpd->stop;
my @bad = grep {/\[dbsync_wf:(?:warn|error)\]/} split /^/, $httpd->log;
is(scalar @bad, 0, 'and nothing was complained of') or diag(@bad);

done();

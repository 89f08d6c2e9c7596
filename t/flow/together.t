#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Runs that are claimed at a time execute at a time, as many as there are threads: none waits for a
# thread behind another one, which may last for hours. In a runner that has just started.
use strict;
use warnings FATAL => 'all';
use WfHttpd;
use WfTest;

my $httpd = WfHttpd->new('together', lines => "DbsyncWfThreads 16\n");
$httpd->start;
is($httpd->run_end($httpd->post_run(600, 'noop'))->{status}, 'completed', 'a thread is idle');
my ($runner) = $httpd->pids_of('runner');
for my $count (2, 3, 5, 8, 12, 16) {
    # While it is stopped they gather, for one claim.
    kill 'STOP', $runner or die "kill $runner: $!\n";
    my @names = map {"together-$count-$_"} 1 .. $count;
    my @files = map { state_file($_) } @names;
    my @pids = map { $httpd->post_run(600, 'record-long', qq({"file": "$_"})) } @names;
    kill 'CONT', $runner or die "kill $runner: $!\n";
    my $all = eval { wait_for('their beginning', 10, sub { !grep { !-s $_ } @files }) };
    ok($all, "$count runs begin, whatever the others do");
    $httpd->api('POST', "/interrupt/$_") for @pids;
    is(scalar(grep { $httpd->run_end($_)->{status} ne 'interrupted' } @pids), 0,
        'and are interrupted');
}
$httpd->stop;

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# How long after an interrupt's answer a program that obeys SIGTERM, and what it has forked, is gone.
#
#   interrupt.pl ROUNDS
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(sleep time);
use WfBench qw(bench_httpd percentile row state);

my ($rounds) = @ARGV;
my $RUNS = 40;
my $pids = state('bench.pids');

my $script = 'sleep 300 & echo $$ $! >"$0.new" && mv "$0.new" "$0"; wait';
my $httpd = bench_httpd('bench-interrupt', '', {1 => {tasks => {long => {flows => [{actions => [
    {action => 'exec', command => ['sh', '-c', $script, "$pids.{{n}}"]},
]}]}}}});
$httpd->start;

sub tree
{
    my ($file) = @_;
    my $deadline = time + 30;
    until (-s $file) {
        die "a program does not start\n" if time > $deadline;
        sleep 0.002;
    }
    open my $in, '<', $file or die "$file: $!\n";
    return split ' ', <$in>;
}

my @gone;
for my $n (1 .. $rounds * $RUNS) {
    my $run = $httpd->post_run(1, 'long', qq({"n": $n}));
    my @tree = tree("$pids.$n");
    my $answer = $httpd->api('POST', "/interrupt/$run");
    my $answered = time;
    die 'an interrupt was answered ', $answer->status, "\n" if $answer->status != 202;
    while (kill 0, @tree) {
        die "a program does not end\n" if time - $answered > 30;
        sleep 0.0005;
    }
    push @gone, (time - $answered) * 1000;
    unlink "$pids.$n";
}
row(name => 'interrupt answered -> whole tree gone, ms, p99', goal => '< 100',
    value => percentile(99, @gone), rates => {p50 => percentile(50, @gone)},
    how => scalar(@gone) . ' interrupts of a shell with a child');

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A worker of gearmand for scripts/bench peers: runs the program for a job, with the body on its standard
# input, and writes its end down, as a file of the job's name.
use strict;
use warnings FATAL => 'all';
use Gearman::Worker;

sub run
{
    my ($id, $body) = split /\n/, $_[0]->arg, 2;
    open my $in, '|-', $ENV{BENCH_PROGRAM}, $ENV{BENCH_STAMPS}, $id or die "$ENV{BENCH_PROGRAM}: $!\n";
    syswrite $in, $body;    # which the program need not read
    close $in or die "the program ended with $?\n";
    open my $done, '>', "$ENV{BENCH_DONE}/$id" or die "$id: $!\n";
    close $done or die "$id: $!\n";
    return 1;
}

local $SIG{PIPE} = 'IGNORE';
my $worker = Gearman::Worker->new(job_servers => [$ENV{BENCH_GEARMAND}]);
$worker->register_function(run => \&run);
$worker->work while 1;

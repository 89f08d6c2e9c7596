#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Nothing waits, expires or measures by the wall's clock, which may be set at any time: the core asks
# it only for what is stored or shown (base/clock.h), and waits through base/monitor.h or poll. A test
# cannot tell: libfaketime steps what a process reads, not what the kernel waits for.
use strict;
use warnings FATAL => 'all';
use Test::More;
use WfSource qw(read_file sources without_comments);

# Who asks the wall: for what is stored or shown, for a pid's time, to compare with a file's time.
my %may_ask = map {("mod_dbsync_wf/$_" => 1)} qw(
    base/uuid.c flow/narrate.c flow/projects.c flow/walk.c runner/callbacks.c
    runner/output.c store/embedded/keeper.c
    store/embedded/state_callbacks.c store/embedded/state_configurations.c
    store/embedded/state_hold.c
    store/embedded/state_purge.c store/embedded/state_runs.c store/embedded/tally.c store/embedded/trouble.c
);

for my $file (sources()) {
    my $text = without_comments(read_file($file));
    my @waits = $text =~ /\b(apr_thread_cond_timedwait|sem_timedwait|mq_timed\w+)\b/g;
    push @waits, 'pthread_cond_timedwait'
        if $text =~ /\bpthread_cond_timedwait\b/ && $file ne 'mod_dbsync_wf/base/monitor.c';
    is("@waits", '', "$file waits by no wall clock");
    my @asks = $text =~ /\b(apr_time_now|gettimeofday|time\(NULL\)|CLOCK_REALTIME)\b/g;
    @asks = () if $may_ask{$file};
    is("@asks", '', "$file does not ask the wall's clock");
}

done_testing();

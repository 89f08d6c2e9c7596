#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A 202 was on disk: the keeper is killed right after it, and the status still answers, never 5xx.
use strict;
use warnings FATAL => 'all';
use WfServer qw(pid_of pids_of);
use WfMetrics qw(read_metrics);
use WfTest;

sub restarts
{
    my %metrics = read_metrics(api('GET', '/metrics')->body);
    return $metrics{dbsync_wf_keeper_restarts_total};
}

my $rounds = 9;
my $restarts = restarts();
my (@pids, @statuses);
for my $round (1 .. $rounds) {
    my $keeper = wait_for('a keeper', 10, sub { (pids_of('keeper'))[0] });
    my $answer = api('POST', '/projects/602/tasks/noop/run?trigger=API', json => '{}');
    kill 'KILL', $keeper or die "kill $keeper: $!\n";
    push @statuses, $answer->status;
    next if $answer->status != 202;
    push @pids, $answer->json->{pid};
    push @statuses, api('GET', "/status/$pids[-1]")->status;
}
is(join(' ', @statuses), join(' ', (202, 200) x $rounds), 'every answer was given, none was 5xx');

my @runs = map { run_end($_) } @pids;
is(scalar(grep { $_->{status} eq 'completed' } @runs), $rounds, 'every run was executed')
    or diag(join ' ', map {"$_->{pid}: $_->{status}"} @runs);

is(restarts(), $restarts + $rounds, 'each was started again, by its figures');

# A keeper that is stopped answers nobody: it is replaced, and the requests wait for that.
my $stopped = pid_of('keeper');
kill 'STOP', $stopped or die "kill $stopped: $!\n";
is(api('GET', "/status/$pids[0]")->status, 200, 'a stopped keeper is replaced under a request');
isnt(pid_of('keeper'), $stopped, 'by another process');
is(restarts(), $restarts + $rounds + 1, 'which is one restart more');

done(qr/WF0164: wf-keeper/, qr/WF0163: wf-keeper keeps dying/, qr/WF0172: /);

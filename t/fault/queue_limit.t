#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# DbsyncWfQueueLimit: clients that send more than is executed are refused (429) once so many runs wait,
# by any keeper, and a limit that changes holds from the next graceful on.
use strict;
use warnings FATAL => 'all';
use WfHttpd;
use WfTest;

my $httpd = WfHttpd->new('queue', lines => "DbsyncWfQueueLimit 5\n");
$httpd->start;

# Posts runs of a task of which one executes at a time, until one is refused: the answer that was not
# 202, and the pids of those that were accepted.
sub fill
{
    my @pids;
    for (1 .. 50) {
        my $answer = $httpd->post('600', 'one');
        return ($answer, @pids) if $answer->status != 202;
        push @pids, $answer->json->{pid};
    }
    return (undef, @pids);
}

my $first = $httpd->accepted('600', 'one');
wait_for('the first to run', 20, sub { $httpd->run_get($first)->{status} eq 'running' });
my ($refused, @pids) = fill();
is(scalar @pids, 5, 'as many are accepted as may wait');
is_problem($refused, 429, 'queue-full', 'and the next one is refused', qr/wait/);
is($refused->header('Retry-After'), '1', 'and told when to come again');
is($httpd->run_get($_)->{status}, 'submitted', 'those wait') for @pids;

my $keeper = $httpd->pid_of('keeper');
kill 'KILL', $keeper or die "kill $keeper: $!\n";
($refused, my @more) = fill();
is(scalar @more, 0, 'a new keeper lets in no more');
is($refused->status, 429, 'nor does it forget why');

$keeper = $httpd->pid_of('keeper');
$httpd->configure("DbsyncWfQueueLimit 8\n");
$httpd->control('graceful');
wait_for('the new settings', 20, sub {
    my @keepers = $httpd->pids_of('keeper');
    return @keepers == 1 && $keepers[0] != $keeper;
});
($refused, @more) = fill();
is(scalar @more, 3, 'a higher limit lets in the rest');

for my $pid (@pids, @more, $first) {
    $httpd->api('POST', "/interrupt/$pid");
    is($httpd->run_end($pid)->{status}, 'interrupted', 'each is a run as any other');
}
$httpd->stop;

done();

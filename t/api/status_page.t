#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The section in mod_status's page, also as lines for ?auto: the server's figures and no names. (All
# other tests are about a server without mod_status.)
use strict;
use warnings FATAL => 'all';
use WfConfig qw(server_var);
use WfHttpd;
use WfTest;

my $module = server_var('libexecdir') . '/mod_status.so';
my $httpd = WfHttpd->new('status-page', lines => <<"END");
LoadModule status_module "$module"
<Location "/server-status">
    SetHandler server-status
</Location>
END
$httpd->start;

# The lines of ?auto that are ours.
sub status
{
    my $body = $httpd->request('GET', '/server-status?auto')->body;
    return {$body =~ /^(Workflow\w+): (.*)$/mg};
}

my $keeper = wait_for('the keeper', 20, sub { $httpd->pid_of('keeper') });
my $idle = wait_for('the store to answer', 20, sub { my $is = status(); defined $is->{WorkflowQueued} ? $is : undef });
is_deeply([sort keys %{$idle}], [map {"Workflow$_"} qw(CommitCalls Commits KeeperPid KeeperRestarts Queued
    RunnerRestarts Running Store Threads Waiters)], 'the lines');
is($idle->{WorkflowStore}, 'works', 'the store');
is($idle->{WorkflowKeeperPid}, $keeper, 'the keeper');
is($idle->{WorkflowThreads}, 8, 'the threads');
is($idle->{"Workflow$_"}, 0, "$_: 0") for qw(KeeperRestarts Queued RunnerRestarts Running Waiters);

my $first = $httpd->post_run('600', 'one');
my $second = $httpd->post_run('600', 'one');
wait_for('the first to run', 20, sub { $httpd->run_get($first)->{status} eq 'running' });
my $busy = status();
is("$busy->{WorkflowRunning} $busy->{WorkflowQueued}", '1 1', 'one runs, and one waits');
cmp_ok($busy->{WorkflowCommitCalls} - $idle->{WorkflowCommitCalls}, '>=', 3, 'which were calls that write');
cmp_ok($busy->{WorkflowCommits}, '>', $idle->{WorkflowCommits}, 'in commits');

my $page = $httpd->request('GET', '/server-status');
like($page->body, qr{<h2>DBSync workflows</h2>\n<dl>\n<dt>The store: works</dt>\n.*<dt>Runs that wait: 1</dt>\n.*</dl>\n}s,
    'the section of the page');
unlike($page->body =~ s/.*DBSync workflows//sr, qr/one|600|alice/, 'names nobody and nothing');
like($httpd->request('GET', '/server-status?notable')->body, qr{<h2>DBSync workflows</h2>}, 'also without tables');

kill 'KILL', $keeper or die "kill $keeper: $!\n";
wait_for('the next keeper', 20, sub { status()->{WorkflowKeeperRestarts} });
is(status()->{WorkflowKeeperRestarts}, 1, 'the keeper was started again');
$keeper = $httpd->pid_of('keeper');

# A keeper that does not answer: the page says so and does not wait for it.
kill 'STOP', $keeper or die "kill $keeper: $!\n";
my $silent = status();
kill 'CONT', $keeper or die "kill $keeper: $!\n";
is_deeply($silent, {WorkflowStore => 'does not answer', WorkflowThreads => 8}, 'the page does without the store');
is($httpd->api('POST', "/interrupt/$_")->status, 202, 'and both runs can be ended') for $second, $first;
$httpd->stop;

done();

# SPDX-License-Identifier: Apache-2.0
package WfPeerOurs;

# This module, under the event MPM.
use strict;
use warnings FATAL => 'all';
use parent 'WfPeer';
use WfBench qw(bench_httpd program state);
use WfServer qw(children_of name_of);

my $TASKS = '/cw/api/v2/projects/1/tasks';

sub name       { return 'mod_dbsync_wf' }
sub is_durable { return 1 }
sub durable    { return 'yes: log flushed before the answer; a run is started once at most' }
sub post_path  { return "$TASKS/stamp/run?trigger=API" }
sub hold       { return "$TASKS/hold/run?trigger=API" }
sub after      { return '"pid":"' }
sub port       { return $_[0]{httpd}{port} }

sub settings
{
    return "event 1 x 64 threads, DbsyncWfThreads $WfPeer::AT_ONCE; ends by ?wait=; a run whose runner was killed "
        . 'ends as error';
}

sub versions
{
    return {httpd => WfPeer::version_by(qr{Apache/([\d.]+)}, WfConfig::server_var('httpd'), '-v')};
}

sub start
{
    my ($self) = @_;
    $self->{stamps} = state('peers-ours.stamps');
    my $command = [program('stamp'), $self->stamps, '-'];
    my $tasks = {
        stamp => {flows => [{actions => [{action => 'exec', command => $command}]}]},
        hold  => {concurrency => 1, flows => [{actions => [{action => 'wait', seconds => 86_400}]}]},
    };
    $self->{httpd} = bench_httpd('bench-peers', "DbsyncWfThreads $WfPeer::AT_ONCE\n", {1 => {tasks => $tasks}});
    $self->{httpd}->start;
    return;
}

sub stamps { return $_[0]{stamps} }

sub status_path { my ($self, $id, $wait) = @_; return "/cw/api/v2/status/$id" . ($wait ? "?wait=$wait" : '') }

sub end_of
{
    my ($self, $answer) = @_;
    return $answer->status == 200 && $answer->json->{status} =~ /^(completed|error|interrupted)$/ ? $1 : '';
}

sub ended
{
    my ($self) = @_;
    my $sum = 0;
    for my $line (split /^/, $self->{httpd}->api('GET', '/metrics')->body) {
        $sum += $1 if $line =~ /^dbsync_wf_runs_total\{.*status="(?!submitted).*"\} (\d+)$/;
    }
    return $sum;
}

sub roots { my ($self) = @_; return $self->{httpd} ? grep {$_} $self->{httpd}->pid : () }

# Keeper, runner and httpd's child: what replaces them is part of the module and of httpd.
sub victims
{
    my ($self) = @_;
    my $httpd = $self->{httpd};
    return ((map { $httpd->pids_of($_) } qw(keeper runner)), grep { name_of($_) !~ /^wf-/ } children_of($httpd->pid));
}

sub tend { return }

sub stop
{
    my ($self) = @_;
    my $httpd = delete $self->{httpd} or return;
    $httpd->stop;
    return;
}

1;

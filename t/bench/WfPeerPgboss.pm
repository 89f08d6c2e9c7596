# SPDX-License-Identifier: Apache-2.0
package WfPeerPgboss;

# express, pg-boss and PostgreSQL.
use strict;
use warnings FATAL => 'all';
use parent 'WfPeerNode';
use WfDatabase;

sub name     { return 'express + pg-boss + PostgreSQL' }
sub script   { return 'pgboss.js' }
sub durable  { return 'yes: fsync and synchronous_commit on; a job whose worker was killed is executed again' }

sub settings
{
    return "2 workers of batches of $WfPeer::AT_ONCE, which ask every 0.5 s (its least; 2 by default) and at once "
        . 'after a full batch; expireInSeconds 5 (15 minutes by default), retryLimit 2, maintenance every 5 s (2 minutes by default)';
}

sub versions
{
    return {WfPeerNode::npm_versions(qw(express pg-boss pg)),
        postgresql => WfPeer::version_by(qr/([\d.]+)/, WfDatabase::program('postgres'), '--version')};
}

# The server is made and tried by the fixture, and then is one of the processes that are looked after.
sub store
{
    my ($self) = @_;
    my $folder = $ENV{BENCH_POSTGRES} = "$self->{folder}/pgsql";
    my $db = WfDatabase->start('pgsql', $folder, fsync => 'on');
    $db->stop;
    $self->process('postgres', $db->command);
    return;
}

1;

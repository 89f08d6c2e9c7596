# SPDX-License-Identifier: Apache-2.0
package WfPeerBullmq;

# express, BullMQ and Redis.
use strict;
use warnings FATAL => 'all';
use parent 'WfPeerNode';

sub name     { return 'express + BullMQ + Redis' }
sub script   { return 'bullmq.js' }
sub durable  { return 'yes: appendonly yes, appendfsync always; a job whose worker was killed is executed again' }
sub settings
{
    return "maxmemory-policy noeviction; worker concurrency $WfPeer::AT_ONCE, lockDuration and "
        . 'stalledInterval 5 s (30 by default); ends by waitUntilFinished';
}

sub versions
{
    return {WfPeerNode::npm_versions(qw(express bullmq ioredis)),
        redis => WfPeer::version_by(qr/v=(\S+)/, $ENV{WF_REDIS}, '--version')};
}

sub store
{
    my ($self) = @_;
    $ENV{BENCH_REDIS} = "$self->{folder}/redis.sock";
    $self->process('redis', $ENV{WF_REDIS}, '--port', 0, '--unixsocket', $ENV{BENCH_REDIS}, '--dir', $self->folder,
        qw(--appendonly yes --appendfsync always --save), '', qw(--maxmemory-policy noeviction --daemonize no));
    return;
}

1;

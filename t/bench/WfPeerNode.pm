# SPDX-License-Identifier: Apache-2.0
package WfPeerNode;

# What queues for node.js share: a front and a worker, each a process of t/bench/peers, and beside them
# the queue's store. A package below it says store (starts that), script, and what its state is called.
use strict;
use warnings FATAL => 'all';
use parent 'WfPeer';
use JSON::PP ();
use WfBench qw(authorization program);

sub is_durable  { return 1 }
sub post_path   { return '/jobs' }
sub status_path { my ($self, $id, $wait) = @_; return "/jobs/$id" . ($wait ? "?wait=$wait" : '') }

sub begin
{
    my ($self) = @_;
    local %ENV = (%ENV,
        NODE_ENV            => 'production',
        BENCH_AUTHORIZATION => authorization(),
        BENCH_PROGRAM       => program('stamp'),
        BENCH_STAMPS        => $self->stamps,
        BENCH_AT_ONCE       => $WfPeer::AT_ONCE,
    );
    $self->store;
    my $script = "t/bench/peers/" . $self->script;
    $self->process('front', 'node', $script, 'front', $self->port);
    $self->process('worker', 'node', $script, 'worker');
    return;
}

sub hold
{
    my ($self) = @_;
    $self->suspend('worker');
    return $self->post_path;
}

sub end_of
{
    my ($self, $answer) = @_;
    return $answer->status == 200 && $answer->json->{state} =~ /^(completed|failed)$/ ? $1 : '';
}

sub ended
{
    my ($self) = @_;
    return $self->client->request('GET', '/ended')->json->{ended};
}

# The version of a package of npm, as it is installed.
sub npm_version
{
    my ($name) = @_;
    my $file = "$ENV{NODE_PATH}/$name/package.json";
    open my $in, '<', $file or die "$file: $!\n";
    local $/ = undef;
    return JSON::PP->new->utf8->decode(<$in>)->{version};
}

sub npm_versions
{
    my (@names) = @_;
    return (node => WfPeer::version_by(qr/^v(\S+)/, 'node', '--version'), map { ($_ => npm_version($_)) } @names);
}

1;

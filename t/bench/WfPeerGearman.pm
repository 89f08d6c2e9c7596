# SPDX-License-Identifier: Apache-2.0
package WfPeerGearman;

# gearmand with a queue that is kept by SQLite, workers of its Perl library, and Starman in front.
use strict;
use warnings FATAL => 'all';
use parent 'WfPeer';
use WfBench qw(authorization program);
use WfConfig qw(free_port);

my $FRONTS = 33;    # Starman's processes: each has one connection at a time, while that is kept

sub name       { return 'Starman + gearmand' }
sub is_durable { return 1 }
sub post_path  { return '/jobs' }
sub status_path { my ($self, $id) = @_; return "/jobs/$id" }

sub durable
{
    return 'yes: background jobs in its SQLite queue, a commit each; what had begun when it was killed is '
        . 'executed again';
}

sub settings
{
    return "$WfPeer::AT_ONCE workers, $FRONTS processes in front; an end is a file that the worker writes";
}

sub versions
{
    my $of = sub { return WfPeer::version_by(qr/(\S+)/, 'perl', "-M$_[0]", '-e', "print $_[0]->VERSION") };
    return {
        gearmand          => WfPeer::version_by(qr/gearmand (\S+)/, $ENV{WF_GEARMAND}, '--version'),
        'Gearman::Client' => $of->('Gearman::Client'),
        Starman           => $of->('Starman'),
    };
}

sub begin
{
    my ($self) = @_;
    my $port = free_port();
    $self->{done} = "$self->{folder}/done";
    mkdir $self->{done} or die "$self->{done}: $!\n";
    local %ENV = (%ENV,
        BENCH_AUTHORIZATION => authorization(),
        BENCH_PROGRAM       => program('stamp'),
        BENCH_STAMPS        => $self->stamps,
        BENCH_DONE          => $self->{done},
        BENCH_GEARMAND      => "127.0.0.1:$port",
    );
    $self->process('gearmand', $ENV{WF_GEARMAND}, '-L', '127.0.0.1', '-p', $port, '-q', 'libsqlite3',
        "--libsqlite3-db=$self->{folder}/queue.db", '-l', 'stderr', '-P', "$self->{folder}/gearmand.pid");
    $self->process("worker-$_", 'perl', 't/bench/peers/gearman_worker.pl') for 1 .. $WfPeer::AT_ONCE;
    $self->process('front', 'starman', '--preload-app', '--workers', $FRONTS, '--listen', '127.0.0.1:' . $self->port,
        't/bench/peers/gearman.psgi');
    return;
}

sub hold
{
    my ($self) = @_;
    $self->suspend("worker-$_") for 1 .. $WfPeer::AT_ONCE;
    return $self->post_path;
}

sub end_of { my ($self, $answer) = @_; return $answer->body =~ /"completed"/ ? 'completed' : '' }

sub ended { my ($self) = @_; return scalar(() = glob "$self->{done}/*") }

1;

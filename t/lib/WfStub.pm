# SPDX-License-Identifier: Apache-2.0
package WfStub;

# A server whose answers the test makes up: for the command line's tests, those that the real one gives
# too rarely, or never; and what callbacks are sent to. In a process of its own, one connection after the
# other.
use strict;
use warnings FATAL => 'all';
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();

my $json = JSON::PP->new->canonical->latin1;

# new(FILE, CODE): requests go to FILE. CODE gets how many there were before and the request's bytes,
# and gives the bytes of the answer, after which the connection ends; none for no answer. It ends with
# the object. Option: port, where not any will do.
sub new
{
    my ($class, $file, $code, %option) = @_;
    my $socket = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => $option{port} // 0, Listen => 16, ReuseAddr => 1,
    ) or die "$@\n";
    unlink $file;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        local $SIG{PIPE} = 'IGNORE';
        my $count = 0;
        while (my $peer = $socket->accept) {
            my $request = _read($peer);
            open my $out, '>>', $file or POSIX::_exit(1);
            syswrite $out, $json->encode([$request]) . "\n";
            close $out;
            my $answer = $code->($count++, $request);
            syswrite $peer, $answer if defined $answer;
            close $peer;
        }
        POSIX::_exit(0);
    }
    return bless {pid => $pid, owner => $$, file => $file, port => $socket->sockport}, $class;
}

sub url { return "http://127.0.0.1:$_[0]{port}/base" }

# answer(STATUS, BODY, HEADER, …): the bytes of one.
sub answer
{
    my ($status, $body, @headers) = @_;
    return join "\r\n", "HTTP/1.1 $status Text", 'Content-Length: ' . length $body, 'Connection: close',
        @headers, '', $body;
}

sub requests
{
    my ($self) = @_;
    open my $in, '<', $self->{file} or return;
    return map { $json->decode($_)->[0] } <$in>;
}

sub _read
{
    my ($peer) = @_;
    my $bytes = '';
    while ($bytes !~ /\r\n\r\n/) {
        sysread $peer, $bytes, 65_536, length $bytes or return $bytes;
    }
    my ($length) = $bytes =~ /^content-length:\s*(\d+)/im;
    my $end = index($bytes, "\r\n\r\n") + 4 + ($length // 0);
    while (length $bytes < $end) {
        sysread $peer, $bytes, 65_536, length $bytes or last;
    }
    return $bytes;
}

sub DESTROY
{
    my ($self) = @_;
    return if $self->{owner} != $$;
    local $?;
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;

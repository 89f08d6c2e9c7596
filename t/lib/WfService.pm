# SPDX-License-Identifier: Apache-2.0
package WfService;

# A service for the tests of the action rest: an HTTP server in a process group of its own, a process
# for each connection. It writes each request down, as a line of JSON, before it answers:
#
#   /echo…           200, and the request as JSON: method, target, headers (lower case), body
#   /text            200, and text that is no JSON
#   /flaky/N         503 with Retry-After: 1 to the first N requests for /flaky, then as /echo
#   /down            503 with Retry-After: 0
#   /away?URL        302 to that URL
#   /silent          never an answer
#   /drip            200, and a byte of the body every 50 ms
#   /huge            200, and 16 MB
#   /products/SKU    200, and {"sku": SKU, "price": 2.5}; 404 for "none"
use strict;
use warnings FATAL => 'all';
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();

my $json = JSON::PP->new->canonical->utf8;

# new(PORT, FILE): starts it on 127.0.0.1; its requests go to FILE. It ends with the object.
sub new
{
    my ($class, $port, $file) = @_;
    my $socket = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1,
    ) or die "port $port: $@\n";
    unlink $file;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        POSIX::setpgid(0, 0);
        _serve($socket, $file);
        POSIX::_exit(0);
    }
    POSIX::setpgid($pid, $pid);
    return bless {pid => $pid, owner => $$, file => $file}, $class;
}

# The requests that it has got so far; in scalar context, how many.
sub requests
{
    my ($self) = @_;
    my @requests;
    if (open my $in, '<', $self->{file}) {
        @requests = map { $json->decode($_) } grep {/\n\z/} <$in>;
    }
    return @requests;
}

# Forgets them.
sub forget
{
    my ($self) = @_;
    unlink $self->{file};
    return;
}

sub DESTROY
{
    my ($self) = @_;
    return if $self->{owner} != $$;
    local $?;
    kill 'KILL', -$self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

sub _serve
{
    my ($socket, $file) = @_;
    local $SIG{CHLD} = 'IGNORE';
    local $SIG{PIPE} = 'IGNORE';
    while (my $peer = $socket->accept) {
        next if fork;
        $peer->autoflush(1);
        while (my $request = _read($peer)) {
            _note($file, $request);
            _answer($peer, $request, $file) or last;
        }
        POSIX::_exit(0);
    }
    return;
}

sub _read
{
    my ($peer) = @_;
    my ($head, %header) = '';
    while ($head !~ /\r\n\r\n\z/) {
        sysread $peer, my $byte, 1 or return;
        $head .= $byte;
    }
    my ($first, @lines) = split /\r\n/, $head;
    my ($method, $target) = split / /, $first;
    for my $line (@lines) {
        my ($name, $value) = $line =~ /^([^:]+):\s*(.*)$/s or next;
        $header{lc $name} = $value;
    }
    my $body = '';
    while (length $body < ($header{'content-length'} // 0)) {
        sysread $peer, $body, 65_536, length $body or return;
    }
    return {method => $method, target => $target, headers => \%header, body => $body};
}

# One write, so that lines of several processes do not mix.
sub _note
{
    my ($file, $request) = @_;
    open my $out, '>>', $file or die "$file: $!\n";
    syswrite $out, $json->encode($request) . "\n";
    close $out or die "$file: $!\n";
    return;
}

sub _send
{
    my ($peer, $status, $body, @headers) = @_;
    return print {$peer} join "\r\n", "HTTP/1.1 $status Text", 'Content-Length: ' . length $body, @headers,
        '', $body;
}

# False where the connection is to end.
sub _answer
{
    my ($peer, $request, $file) = @_;
    my $target = $request->{target};
    if ($target eq '/text') {
        return _send($peer, 200, "a < b\n", 'Content-Type: text/plain');
    }
    if ($target =~ m{^/flaky/(\d+)}) {
        my $count = grep { $_->{target} =~ m{^/flaky/} } requests({file => $file});
        return _send($peer, 503, 'busy', 'Retry-After: 1') if $count <= $1;
    }
    if ($target eq '/down') {
        return _send($peer, 503, 'busy', 'Retry-After: 0');
    }
    if ($target =~ m{^/away\?(.*)}) {
        return _send($peer, 302, '', 'Location: ' . $1 =~ s/%([0-9A-F]{2})/chr hex $1/ger =~ s/^to=//r);
    }
    if ($target eq '/silent') {
        return 1;
    }
    if ($target eq '/drip') {
        print {$peer} "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
        while (print {$peer} 'x') {
            select undef, undef, undef, 0.05;
        }
        return 0;
    }
    if ($target =~ m{^/products/(\w+)$}) {
        return $1 eq 'none' ? _send($peer, 404, '{}', 'Content-Type: application/json')
            : _send($peer, 200, qq({"sku": "$1", "price": 2.5}), 'Content-Type: application/json');
    }
    if ($target eq '/huge') {
        return _send($peer, 200, 'x' x 16_000_000);
    }
    return _send($peer, 200, $request->{method} eq 'HEAD' ? '' : $json->encode($request),
        'Content-Type: application/json', 'X-Service: here');
}

1;

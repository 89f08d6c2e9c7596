# SPDX-License-Identifier: Apache-2.0
package WfHttp;

# An HTTP/1.1 client that sends exactly what it is told: any method, header, framing or body. One
# object is one connection at a time, which is kept while `keep` is set. Knows nothing of tests.
use strict;
use warnings FATAL => 'all';
use IO::Select ();
use IO::Socket::INET ();
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(time);

# Options: port; host (127.0.0.1); keep (0): keep the connection; timeout (30 seconds for an answer);
# user and password for Basic authentication.
sub new
{
    my ($class, %option) = @_;
    return bless {host => '127.0.0.1', keep => 0, timeout => 30, socket => undef, %option}, $class;
}

# request(METHOD, TARGET, OPTION => …): sends one request and gives the answer, a WfHttp::Answer.
#   headers  => {Name => value}; undef leaves out what would be sent otherwise
#   body     => bytes, sent with Content-Length
#   chunks   => [bytes, …], sent chunked
#   length   => what Content-Length says, instead of the truth
#   type     => Content-Type
#   protocol => 'HTTP/1.1'
sub request
{
    my ($self, $method, $target, %option) = @_;
    $self->ask($method, $target, %option);
    return $self->answer;
}

# The two halves of request: sends one, and reads its answer.
sub ask
{
    my ($self, $method, $target, %option) = @_;
    my $text = $self->_head($method, $target, %option) . _framed_body(%option);
    $self->_connect;
    $self->_send($text);
    $self->{method} = $method;
    return;
}

sub answer
{
    my ($self) = @_;
    my $answer = $self->_answer($self->{method});
    $self->close if !$self->{keep} || lc($answer->header('Connection') // '') eq 'close';
    return $answer;
}

# The two halves of answer, for one that comes in pieces: what it begins with, an answer without a body;
# and then each piece as it comes, undef at the end.
sub head
{
    my ($self) = @_;
    $self->{deadline} = time + $self->{timeout};
    my ($status, %header);
    do {
        my $head = $self->_take_through("\r\n\r\n");
        my @lines = split /\r\n/, $head;
        shift(@lines) =~ m{^HTTP/1\.[01] (\d{3})} or die "no HTTP answer: $head\n";
        $status = $1;
        %header = map { /^([^:]+):\s*(.*?)\s*$/ ? (lc $1, $2) : () } @lines;
    } while $status < 200;
    $self->{chunked} = lc($header{'transfer-encoding'} // '') eq 'chunked';
    return WfHttp::Answer->new(status => $status, headers => \%header, body => '');
}

sub piece
{
    my ($self) = @_;
    $self->{deadline} = time + $self->{timeout};
    return $self->_chunk if $self->{chunked};
    return if !length $self->{buffer} && !$self->_fill;
    return $self->_take(length $self->{buffer});
}

sub socket { return $_[0]{socket} }

# Whether something of the answer is there, or the connection has ended, at the latest after SECONDS.
sub is_answered
{
    my ($self, $seconds) = @_;
    return length $self->{buffer} || IO::Select->new($self->{socket})->can_read($seconds) ? 1 : 0;
}

sub close
{
    my ($self) = @_;
    close $self->{socket} if $self->{socket};
    @{$self}{qw(socket buffer)} = (undef, '');
    return;
}

sub _head
{
    my ($self, $method, $target, %option) = @_;
    my %header = (
        'Host'       => "$self->{host}:$self->{port}",
        'Connection' => $self->{keep} ? 'keep-alive' : 'close',
    );
    $header{'Authorization'} = 'Basic ' . encode_base64("$self->{user}:$self->{password}", '')
        if defined $self->{user};
    $header{'Content-Type'} = $option{type} if defined $option{type};
    $header{'Content-Length'} = length $option{body} if defined $option{body};
    $header{'Content-Length'} = $option{length} if defined $option{length};
    $header{'Transfer-Encoding'} = 'chunked' if $option{chunks};
    %header = (%header, %{$option{headers} // {}});
    my $protocol = $option{protocol} // 'HTTP/1.1';
    return join "\r\n", "$method $target $protocol",
        (map {"$_: $header{$_}"} grep { defined $header{$_} } sort keys %header), '', '';
}

sub _framed_body
{
    my (%option) = @_;
    return $option{body} // '' if !$option{chunks};
    return join '', map({ sprintf "%x\r\n%s\r\n", length, $_ } @{$option{chunks}}), "0\r\n\r\n";
}

sub _connect
{
    my ($self) = @_;
    return if $self->{socket};
    $self->{buffer} = '';
    $self->{socket} = IO::Socket::INET->new(
        PeerAddr => $self->{host},
        PeerPort => $self->{port},
        Timeout  => $self->{timeout},
    ) or die "cannot connect to $self->{host}:$self->{port}: $@\n";
    return;
}

# A server may answer, and close, before it has read all: what cannot be sent is no error then.
sub _send
{
    my ($self, $text) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $sent = 0;
    while ($sent < length $text) {
        my $count = syswrite $self->{socket}, $text, 65_536, $sent;
        last if !defined $count;
        $sent += $count;
    }
    return;
}

sub _answer
{
    my ($self, $method) = @_;
    my $answer = $self->head;
    $answer->{body} = $self->_body($answer->{headers})
        if $method ne 'HEAD' && $answer->status != 204 && $answer->status != 304;
    return $answer;
}

sub _body
{
    my ($self, $header) = @_;
    if ($self->{chunked}) {
        my $body = '';
        while (defined(my $chunk = $self->_chunk)) {
            $body .= $chunk;
        }
        return $body;
    }
    return $self->_take($header->{'content-length'}) if defined $header->{'content-length'};
    1 while $self->_fill;
    return $self->_take(length $self->{buffer});
}

# The next chunk, undef for the last one, which is empty.
sub _chunk
{
    my ($self) = @_;
    my ($size) = $self->_take_through("\r\n") =~ /^([0-9A-Fa-f]+)/ or die "no chunk\n";
    my $chunk = substr $self->_take(hex($size) + 2), 0, -2;
    return hex($size) == 0 ? undef : $chunk;
}

sub _take_through
{
    my ($self, $end) = @_;
    my $at;
    while (($at = index $self->{buffer}, $end) < 0) {
        $self->_fill or die "the server closed the connection\n";
    }
    return $self->_take($at + length $end);
}

sub _take
{
    my ($self, $count) = @_;
    while (length $self->{buffer} < $count) {
        $self->_fill or die "the server closed the connection\n";
    }
    return substr $self->{buffer}, 0, $count, '';
}

# Reads more; false at the end of the stream.
sub _fill
{
    my ($self) = @_;
    my $left = $self->{deadline} - time;
    $left > 0 && IO::Select->new($self->{socket})->can_read($left)
        or die "no answer within $self->{timeout} seconds\n";
    my $count = sysread $self->{socket}, $self->{buffer}, 65_536, length $self->{buffer};
    return $count;
}

package WfHttp::Answer;

use strict;
use warnings FATAL => 'all';
use JSON::PP ();

sub new
{
    my ($class, %answer) = @_;
    return bless {%answer}, $class;
}

sub status { return $_[0]{status} }
sub body   { return $_[0]{body} }
sub header { return $_[0]{headers}{lc $_[1]} }

# The body as Perl data; dies where it is no JSON.
sub json
{
    my ($self) = @_;
    $self->{json} //= JSON::PP->new->utf8->allow_nonref->decode($self->{body});
    return $self->{json};
}

1;

# SPDX-License-Identifier: Apache-2.0
package WfCli::Http;

# Requests to the API, each one curl, which is told everything on its standard input: what stands in
# a program's arguments or environment can be seen by others.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Time::HiRes qw(sleep time);
use WfCli::Exit qw(REFUSED UNREACHABLE give_up);
use WfCli::Text qw(complain put_bytes);

my $CONNECT_SECONDS = 10;
my $ANSWER_SECONDS = 60;
my $BYTES_A_SECOND = 50_000;    # the slowest upload that is waited for
my $PAUSE_MOST = 5;

# curl's exit codes that another attempt does not mend: wrong options, URL or protocol, files,
# certificates.
my %IS_PERMANENT = map { $_ => 1 }
    1 .. 4, 23, 26, 27, 41, 43, 53, 54, 58 .. 60, 66, 77, 80, 82, 83, 90, 91;
# What a server, or one before it, answers while it cannot serve for a while.
my %IS_BUSY = map { $_ => 1 } 502, 503, 504;

# new(SETTINGS, AS_JSON): the latter for refusals to be printed as the server has sent them.
sub new
{
    my ($class, $settings, $as_json) = @_;
    return bless {settings => $settings, as_json => $as_json}, $class;
}

# path(SEGMENT, …): segments as a path; any byte can be in one.
sub path
{
    my (@segments) = @_;
    return join '', map { '/' . _encode($_) } @segments;
}

# query(NAME => VALUE, …): as a query, in that order; undefined values are left out.
sub query
{
    my (@pairs) = @_;
    my @parts;
    while (my ($name, $value) = splice @pairs, 0, 2) {
        push @parts, "$name=" . _encode($value) if defined $value;
    }
    return @parts ? '?' . join('&', @parts) : '';
}

sub _encode { return $_[0] =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger }

# once(METHOD, PATH, OPTION => …): one request. Gives {status, headers, body}; where there was no
# whole answer, {failure, permanent} with curl's words, and status 0 unless the head had come.
#   headers => {Name => value}; body => bytes, sent as JSON; seconds => how long the server may take
#   sink => code that gets the bytes of a 2xx answer as they come; without seconds for as long as
#   they do
sub once
{
    my ($self, $method, $path, %option) = @_;
    my $curl = WfCli::Http::Curl->start($self->_config($method, $path, \%option), $option{body});
    return $curl->answer($option{sink});
}

# ask(METHOD, PATH, OPTION => …): the same, again and again for as long as `--retry` allows while
# nobody answers or the server is busy; only for requests that may be repeated.
sub ask
{
    my ($self, $method, $path, %option) = @_;
    my $deadline = time + $self->{settings}{retry};
    my $pause = 0.5;
    my $said = 0;
    while (1) {
        my $answer = $self->once($method, $path, %option);
        my $left = $deadline - time;
        return $answer if !can_repeat($answer) || $left <= 0;
        complain(why($answer) . sprintf '; trying again for %d s', $left + 0.5) if !$said++;
        my $asked = $answer->{headers}{'retry-after'} // '';
        my $nap = $asked =~ /^\d{1,4}$/ ? $asked || 0.1 : $pause;
        sleep($nap < $left ? $nap : $left);
        $pause = 2 * $pause < $PAUSE_MOST ? 2 * $pause : $PAUSE_MOST;
    }
}

sub can_repeat
{
    my ($answer) = @_;
    return $answer->{failure} ? !$answer->{permanent} : $IS_BUSY{$answer->{status}};
}

# Why an answer is none that helps, as a line for people.
sub why
{
    my ($answer) = @_;
    return $answer->{failure} if $answer->{failure};
    my $problem = eval { decoded($answer) };
    $problem = {} if ref $problem ne 'HASH';
    my $text = "$answer->{status}";
    $text = "$problem->{title} ($text)" if length($problem->{title} // '');
    $text .= ": $problem->{detail}" if length($problem->{detail} // '');
    return $text =~ /\D/ ? $text : "the server answers $text";
}

# The body as data; dies where it is no JSON. Half a surrogate pair is JSON, which a task may well
# give, but no character.
sub decoded
{
    my ($answer) = @_;
    my $half = qr/\\u[dD][89a-fA-F][0-9a-fA-F]{2}/;
    my $pair = qr/\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}/;
    my $body = $answer->{body} =~ s/($pair)|$half|(\\.)/$1 \/\/ $2 \/\/ '\\ufffd'/ger;
    return JSON::PP->new->utf8->allow_nonref->max_depth(4096)->decode($body);
}

# expect_object(ANSWER): the JSON object of a 2xx answer; whatever else it is ends the program, with
# the code that belongs to it.
sub expect_object
{
    my ($self, $answer) = @_;
    $self->expect_success($answer);
    my $object = eval { decoded($answer) };
    ref $object eq 'HASH' or give_up(UNREACHABLE,
        "$self->{settings}{base} does not answer as the API does: is that its base?");
    return $object;
}

sub expect_success
{
    my ($self, $answer) = @_;
    return if !$answer->{failure} && $answer->{status} =~ /^2/;
    my $text = why($answer);
    give_up(UNREACHABLE, $text) if $answer->{failure} || $answer->{status} >= 500;
    $text .= "\n(credentials: an entry for this host in ~/.netrc, or --user)"
        if $answer->{status} == 401;
    put_bytes($answer->{body}) if $self->{as_json} && eval { decoded($answer); 1 };
    return give_up(REFUSED, $text);
}

# What curl is to read: lines of `name = "value"`.
sub _config
{
    my ($self, $method, $path, $option) = @_;
    my $settings = $self->{settings};
    my @lines = (
        [url => "$settings->{base}$path"], [request => $method],
        ['connect-timeout' => $CONNECT_SECONDS], [proto => '=http,https'], [header => 'Expect:'],
        map { [$_] } qw(silent show-error include no-buffer globoff path-as-is),
        'suppress-connect-headers',
    );
    if (defined $settings->{user}) {
        push @lines, [user => "$settings->{user}:$settings->{password}"];
    }
    else {
        push @lines, ['netrc-optional'];
        push @lines, ['netrc-file' => $settings->{netrc_file}] if defined $settings->{netrc_file};
    }
    my $headers = $option->{headers} // {};
    push @lines, map { [header => "$_: $headers->{$_}"] } sort keys %{$headers};
    push @lines, [header => 'Content-Type: application/json'] if defined $option->{body};
    if (!$option->{sink} || defined $option->{seconds}) {
        push @lines, ['max-time' => int(($option->{seconds} // 0) + $ANSWER_SECONDS
                + length($option->{body} // '') / $BYTES_A_SECOND)];
    }
    return join '', map { _config_line(@{$_}) } @lines;
}

my %ESCAPE = map { $_->[0] => "\\$_->[1]" }
    ["\\", "\\"], ['"', '"'], ["\t", 't'], ["\n", 'n'], ["\r", 'r'], ["\x0b", 'v'];

sub _config_line
{
    my ($name, $value) = @_;
    return "$name\n" if !defined $value;
    $value =~ s/([\\"\t\n\r\x0b])/$ESCAPE{$1}/g;
    return qq($name = "$value"\n);
}

package WfCli::Http::Curl;

# One curl, which does not outlive its object.
use strict;
use warnings FATAL => 'all';
use Fcntl qw(F_SETFD);
use IO::Handle ();
use POSIX ();
use WfCli::Exit qw(usage_error);
use WfCli::Text qw(shown);

sub start
{
    my ($class, $config, $body) = @_;
    my $file = _file_of($body);
    # curl reads it anew, from its beginning, whenever it has to send it.
    $config .= sprintf qq(data-binary = "\@/dev/fd/%d"\n), fileno $file if $file;
    pipe my $from_us, my $config_pipe or die "pipe: $!\n";
    pipe my $answer_pipe, my $to_answer or die "pipe: $!\n";
    pipe my $error_pipe, my $to_error or die "pipe: $!\n";
    local $SIG{PIPE} = 'IGNORE';
    my $self = bless {answer => $answer_pipe, error => $error_pipe}, $class;
    $self->{pid} = fork // die "fork: $!\n";
    _become_curl($from_us, $to_answer, $to_error) if $self->{pid} == 0;
    close $_ for $from_us, $to_answer, $to_error;
    print {$config_pipe} $config;
    close $config_pipe;
    return $self;
}

# A file without a name that is inherited, with the body in it.
sub _file_of
{
    my ($body) = @_;
    return if !defined $body;
    open my $file, '+>', undef or usage_error("no temporary file: $!");
    print {$file} $body or usage_error("a temporary file: $!");
    $file->flush or usage_error("a temporary file: $!");
    fcntl $file, F_SETFD, 0 or die "fcntl: $!\n";
    return $file;
}

# In a process group of its own, so that Ctrl-C is for us, who then say what has become of the run.
sub _become_curl
{
    my (@streams) = @_;
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
    setpgrp 0, 0;
    if (   open(STDIN, '<&', $streams[0])
        && open(STDOUT, '>&', $streams[1])
        && open(STDERR, '>&', $streams[2])) {
        no warnings 'exec';
        exec {'curl'} 'curl', '-q', '--config', '-';
        print {*STDERR} "the program curl cannot be started (is it installed?): $!\n";
    }
    POSIX::_exit(2);
}

# Reads all that curl has to say.
sub answer
{
    my ($self, $sink) = @_;
    my %answer = (status => 0, headers => {}, body => '');
    my $buffer = '';
    my $count;
    while ($count = sysread $self->{answer}, $buffer, 65_536, length $buffer) {
        _take_head(\%answer, \$buffer) if !$answer{status};
        next if !$answer{status};
        if ($sink && $answer{status} =~ /^2/) { $sink->($buffer) if length $buffer }
        else { $answer{body} .= $buffer }
        $buffer = '';
    }
    my $said = do { local $/ = undef; readline $self->{error} } // '';
    waitpid $self->{pid}, 0;
    delete $self->{pid};
    my $code = $? >> 8;
    if ($?) {
        chomp $said;
        $answer{failure} = shown($said =~ s/^curl: \(\d+\) //r) || "curl ended with $?";
        $answer{permanent} = $IS_PERMANENT{$code};
    }
    return \%answer;
}

# Takes the head off a buffer, once all of it is there; interim ones (1xx) are passed over.
sub _take_head
{
    my ($answer, $buffer) = @_;
    while (${$buffer} =~ s{\AHTTP/[\d.]+ (\d{3})(.*?)\r?\n\r?\n}{}s) {
        my ($status, $lines) = ($1, $2);
        next if $status < 200;
        $answer->{status} = $status;
        my @lines = split /\r?\n/, $lines;
        $answer->{headers} = {map { /^([^:]+):\s*(.*?)\s*$/ ? (lc $1, $2) : () } @lines};
        return;
    }
    return;
}

sub DESTROY
{
    my ($self) = @_;
    return if !$self->{pid};
    local ($?, $!, $@);
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;

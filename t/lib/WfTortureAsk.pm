# SPDX-License-Identifier: Apache-2.0
package WfTortureAsk;

# How the torture's clients ask the server, and write down what is no answer for a living one.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use Time::HiRes ();
use WfConfig qw(server_var);
use WfHttp ();

our @EXPORT_OK = qw(ask ask_surely client monotonic problem_of);

# A client that may do everything. Options: WfHttp's.
sub client
{
    return WfHttp->new(port => server_var('port'), user => 'alice', password => 'wonderland', @_);
}

# ask(OUT, METHOD, PATH, OPTION => …): one request over a connection of its own: the answer, or undef
# where it was cut. OUT is told of that, and of an answer 4xx or 5xx, except the problems that it may be.
#   body    => JSON
#   headers => {Name => value}
#   may     => [problem, …]; already-ended if left out
sub ask
{
    my ($out, $method, $path, %option) = @_;
    my @body = defined $option{body} ? (type => 'application/json', body => $option{body}) : ();
    my $answer = eval {
        client()->request($method, "/cw/api/v2$path", @body, headers => $option{headers} // {});
    };
    if (!$answer) {
        print {$out} 'cut ', $@ =~ s/\s+/ /gr, "\n";
        return;
    }
    my $problem = problem_of($answer);
    print {$out} 'refused ', $answer->status, " $method $path $problem\n"
        if $answer->status >= 400 && !grep { $_ eq $problem } @{$option{may} // ['already-ended']};
    return $answer;
}

# ask_surely(CLIENT, METHOD, PATH, DEADLINE): asks again and again while a connection is cut. Undef when
# the time is up.
sub ask_surely
{
    my ($client, $method, $path, $deadline, @option) = @_;
    while (1) {
        my $answer = eval { $client->request($method, "/cw/api/v2$path", @option) };
        return $answer if $answer && $answer->status < 500;
        $client->close;
        return if Time::HiRes::time > $deadline;
        select undef, undef, undef, 0.02;
    }
}

# The last word of a problem's type; empty where the answer is none.
sub problem_of
{
    my ($answer) = @_;
    return '' if $answer->status < 400;
    my ($problem) = $answer->body =~ /"type":"urn:dbsync-wf:problem:([\w-]+)"/;
    return $problem // '';
}

# Seconds by a clock that all processes of the machine share, and nobody sets.
sub monotonic
{
    return Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC());
}

1;

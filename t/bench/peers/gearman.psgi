# SPDX-License-Identifier: Apache-2.0
# What is in front of gearmand in scripts/bench peers, for Starman: Basic credentials, a POST that is
# answered when gearmand has the job in the background, and whether the job's end is written down.
# gearmand itself forgets a job when it has ended, and handles when it is started again.
use strict;
use warnings FATAL => 'all';
use Gearman::Client;
use Time::HiRes qw(time);

my $client;    # of each of Starman's processes its own
my $jobs = 0;

sub answer
{
    my ($status, $text) = @_;
    return [$status, ['Content-Type' => 'application/json', 'Content-Length' => length $text], [$text]];
}

sub post
{
    my ($env) = @_;
    read $env->{'psgi.input'}, my $body, $env->{CONTENT_LENGTH} // 0;
    $client //= Gearman::Client->new(job_servers => [$ENV{BENCH_GEARMAND}]);
    my $id = sprintf '%d-%d-%d', time * 1e6, $$, ++$jobs;
    my $handle = $client->dispatch_background(run => \"$id\n$body", {uniq => $id});
    return $handle ? answer(202, qq({"id":"$id"})) : answer(503, '{"error":"no job server"}');
}

sub {
    my ($env) = @_;
    if (($env->{HTTP_AUTHORIZATION} // '') ne $ENV{BENCH_AUTHORIZATION}) {
        return [401, ['WWW-Authenticate' => 'Basic realm="bench"', 'Content-Length' => 0], []];
    }
    return post($env) if $env->{REQUEST_METHOD} eq 'POST' && $env->{PATH_INFO} eq '/jobs';
    return answer(404, '{}') if $env->{PATH_INFO} !~ m{^/jobs/([\d-]+)$};
    my $state = -e "$ENV{BENCH_DONE}/$1" ? 'completed' : 'open';
    return answer(200, qq({"state":"$state"}));
};

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /statistics counts how the runs of the last hours ended, and how long they took: of those tasks that
# the user may run, each run once.
use strict;
use warnings FATAL => 'all';
use List::Util qw(sum0);
use POSIX qw(strftime);
use Time::HiRes qw(time);
use WfTest;

my $LONG = 20;    # seconds that nothing here may take
my @BOUNDS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, undef);

sub statistics
{
    my ($query, %option) = @_;
    my $answer = api('GET', "/statistics?$query", %option);
    die "statistics: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    return $answer->json;
}

# The ends of all hours, "completed error interrupted", and how many durations there are.
sub ends
{
    my ($query, %option) = @_;
    my $statistics = statistics("hours=48&$query", %option);
    return join ' ', map({ my $kind = $_; sum0(map { $_->{$kind} } @{$statistics->{hours}}) }
        qw(completed error interrupted)), sum0(map { $_->{runs} } @{$statistics->{durations}});
}

# What has been added since, as ends has it.
sub added
{
    my ($before, $query, %option) = @_;
    my @before = split / /, $before;
    my @now = split / /, ends($query, %option);
    return join ' ', map { $now[$_] - $before[$_] } 0 .. $#now;
}

sub hour_text { return strftime('%Y-%m-%dT%H:00:00.000Z', gmtime shift) }

# The shape, on whatever hour the test runs.
for my $hours (undef, 1, 2, 24, 48) {
    my $begin = time;
    my $statistics = statistics(defined $hours ? "hours=$hours" : '');
    my $count = $hours // 24;
    is(scalar @{$statistics->{hours}}, $count, "$count hours");
    my $latest = $statistics->{hours}[-1]{from};
    ok($latest eq hour_text($begin) || $latest eq hour_text(time), 'the last is the present one');
    my ($from) = grep { hour_text($_) eq $latest } $begin, time;
    is_deeply([map { $_->{from} } @{$statistics->{hours}}],
        [map { hour_text($from - 3600 * $_) } reverse 0 .. $count - 1], 'each in its order');
    is_deeply([map { $_->{upTo} } @{$statistics->{durations}}], \@BOUNDS, 'all durations');
    like($statistics->{since}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'since when');
    cmp_ok($statistics->{since}, 'ge', $statistics->{hours}[0]{from}, 'which is not before the first hour');
}

# How runs end.
{
    my %before = map { $_ => ends($_) } '', 'project=600', 'project=600&task=noop', 'task=long', 'project=601';
    my $alices = ends('', user => 'alice');
    my $bobs = ends('', user => 'bob');
    my $there = ends('', other => 1);
    run_ends_as('a run', 'completed', 'noop');
    run_ends_as('another', 'completed', 'noop', '{}', user => 'bob');
    run_ends_as('one that fails', 'error', 'code');
    my $pid = post_run('long');
    wait_for('its start', 10, sub { run_get($pid)->{status} eq 'running' });
    is(added($before{'task=long'}, 'task=long'), '0 0 0 0', 'what runs has not ended');
    api('POST', "/interrupt/$pid");
    run_end($pid);
    run_ends_as('one of alice\'s alone', 'completed', 'echo', '{}', project => '601');
    run_end(post_run('noop', '{}', other => 1), other => 1);
    is(added($before{''}, ''), '3 1 1 4', 'all of them');
    is(added($before{'project=600'}, 'project=600'), '2 1 1 3', 'of a project');
    is(added($before{'project=600&task=noop'}, 'project=600&task=noop'), '2 0 0 2', 'of a task');
    is(added($before{'task=long'}, 'task=long'), '0 0 1 0', 'of another; an interrupted one has no duration');
    is(added($before{'project=601'}, 'project=601'), '1 0 0 1', 'of another project');
    is(ends('project=999'), '0 0 0 0', 'of one that is unknown');
    is(added($alices, '', user => 'alice', base => '/api/v2'), '3 1 1 4', 'at the other base');
    is(added($bobs, '', user => 'bob'), '2 1 1 3', 'bob sees what he may run');
    is(ends('project=601', user => 'bob'), '0 0 0 0', 'and nothing of project 601');
    is(added($there, '', other => 1), '1 0 0 1', 'another vhost has its own');
}

# How long they took.
{
    my $runs = sub { return map { $_->{runs} } @{statistics('project=600&task=wait')->{durations}} };
    my @before = $runs->();
    my $run = run_ends_as('a quarter of a second', 'completed', 'wait');
    my @after = $runs->();
    my @more = grep { $after[$_] != $before[$_] } 0 .. $#after;
    is(scalar @more, 1, 'it is counted once');
    cmp_ok($BOUNDS[$more[0]], '>=', 0.25, 'as no shorter than it is');
    is($after[$more[0]] - $before[$more[0]], 1, 'and one run');
}

# What has not changed is not sent again.
{
    my $etag;
    my $same = wait_for('the same again, in an hour that goes on', $LONG, sub {
        $etag = api('GET', '/statistics?project=600')->header('ETag');
        my $answer = api('GET', '/statistics?project=600', headers => {'If-None-Match' => $etag});
        return $answer->status == 304 ? $answer : undef;
    });
    is($same->body, '', 'what is the same has no body');
    run_ends_as('a run', 'completed', 'noop');
    rows(['and then another', ['GET', '/statistics?project=600', headers => {'If-None-Match' => $etag}], 200,
        headers => {'Content-Type' => 'application/json', 'Cache-Control' => 'private, no-cache'}]);
}

rows(
    ['HEAD', ['HEAD', '/statistics'], 200, empty => 1],
    ['another argument', ['GET', '/statistics?x=1'], 200],
    map({ ["$_->[0] is refused", ['GET', "/statistics?$_->[0]"], 400, problem => 'bad-request', detail => $_->[1]] }
        ['hours=0', qr/argument hours must be a whole number from 1 to 48/], ['hours=49', qr/from 1 to 48/],
        ['hours=', qr/from 1 to 48/], ['hours=1.5', qr/from 1 to 48/], ['hours=0024', qr/from 1 to 48/],
        ['hours=1&hours=2', qr/each argument once/], ['project=.x', qr/project must be an id/],
        ['task=a/b', qr/task must be an id/]),
);

done(qr/AH01631: user bob: authorization failure/);

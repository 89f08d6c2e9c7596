#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /runs lists the runs that the user may see, the newest first: filters, pages, and what is refused.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use POSIX qw(strftime);
use WfTest;

# A list's answer, as JSON; dies where it is not 200.
sub list
{
    my ($query, %option) = @_;
    my $answer = api('GET', "/runs?$query", %option);
    die "list $query: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    return $answer->json;
}

sub pids_of_list
{
    my ($query, %option) = @_;
    return [map { $_->{pid} } @{list($query, %option)->{runs}}];
}

sub time_text { return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime shift) }

# Runs of earlier tests are there too: these are known by the time since which they are looked for.
my $newest = list('limit=1')->{runs}[0];
if ($newest) {
    my $second = substr $newest->{submitTime}, 0, 19;
    wait_for('another second', 5, sub { strftime('%Y-%m-%dT%H:%M:%S', gmtime time) gt $second });
}
my $began = time;
my $since = 'from=' . time_text($began);

my %pid;
$pid{noop} = run_ends_as('a run', 'completed', 'noop')->{pid};
$pid{echo} = run_ends_as('one with a result', 'completed', 'echo', '"x"')->{pid};
$pid{bob} = post_run('noop', '{}', user => 'bob');
run_end($pid{bob});
$pid{alone} = post_run('echo', '{}', project => '601');
run_end($pid{alone});
$pid{other} = post_run('noop', '{}', other => 1);
run_end($pid{other}, other => 1);
$pid{failed} = run_ends_as('one that fails', 'error', 'code')->{pid};
$pid{long} = post_run('long');
# Its progress is the last that is told of it before its end.
wait_for('the long one to start', 10, sub { run_get($pid{long})->{progress} });

my @all = @pid{qw(long failed alone bob echo noop)};
my @table = (
    ['all',                      '',                                    @all],
    ['of a project',             '&project=600',                        @pid{qw(long failed bob echo noop)}],
    ['of another',               '&project=601',                        $pid{alone}],
    ['of one that is unknown',   '&project=999'],
    ['of a task',                '&task=noop',                          @pid{qw(bob noop)}],
    ['of a task of a project',   '&project=601&task=echo',              $pid{alone}],
    ['of a user',                '&user=bob',                           $pid{bob}],
    ['that ended well',          '&status=completed',                   @pid{qw(alone bob echo noop)}],
    ['that failed',              '&status=error',                       $pid{failed}],
    ['that run',                 '&status=running',                     $pid{long}],
    ['that wait',                '&status=submitted'],
    ['of all of it',             '&project=600&task=noop&user=alice&status=completed', $pid{noop}],
    ['until now',                '&to=' . time_text(time + 2),          @all],
    ['until before',             '&to=2026-01-01T00:00:00Z'],
    ['until long ago',           '&to=1969-12-31'],
    ['with another argument',    '&x=1',                                @all],
);
for my $row (@table) {
    my ($name, $query, @expected) = @{$row};
    is_deeply(pids_of_list("$since$query"), \@expected, "runs $name");
    is_deeply(pids_of_list("$since$query", base => '/api/v2'), \@expected, "runs $name, at the other base");
}
is_deeply(pids_of_list('from=' . time_text(time + 3600)), [], 'none is of the future');
is_deeply(pids_of_list('from=' . time_text($began + 5 * 3600) =~ s/Z$/%2B05:00/r), \@all, 'a zone is heeded');
is_deeply(pids_of_list($since, user => 'bob'), [@pid{qw(long failed bob echo noop)}],
    'bob sees what he may run, and nothing of project 601');
is_deeply(pids_of_list("$since&project=601", user => 'bob'), [], 'nor when he asks for it');
is_deeply(pids_of_list($since, other => 1), [$pid{other}], 'another vhost has its own');

# What a run of the list says.
my %listed = map { $_->{pid} => $_ } @{list($since)->{runs}};
for my $name (qw(noop echo failed long)) {
    my $run = run_get($pid{$name});
    delete @{$run}{qw(result actions)};
    is_deeply($listed{$pid{$name}}, $run, "$name is as its status says, without result and actions");
}

# Pages, while runs are added.
my (@paged, $cursor);
for (1 .. 10) {
    my $page = list("$since&limit=2" . ($cursor ? "&cursor=$cursor" : ''));
    push @paged, map { $_->{pid} } @{$page->{runs}};
    cmp_ok(scalar @{$page->{runs}}, '<=', 2, 'a page has no more than its limit');
    $pid{later} = run_ends_as('one that comes meanwhile', 'completed', 'noop')->{pid};
    $cursor = $page->{next};
    last if !$cursor;
}
is_deeply(\@paged, \@all, 'the pages have each run once, in order, and none that came later');
is($cursor, undef, 'the last page has no next');
is(list("$since&limit=1")->{runs}[0]{pid}, $pid{later}, 'which the next first page has');
my $bob = list("$since&limit=1&cursor=$pid{failed}", user => 'bob');
is_deeply([map { $_->{pid} } @{$bob->{runs}}], [$pid{bob}], 'a page is filled beyond what may not be seen');
is_deeply(pids_of_list("$since&limit=1&cursor=$bob->{next}", user => 'bob'), [$pid{echo}],
    'and the next one goes on from there');
my $bobs = list("$since&limit=500&project=601", user => 'bob');
is_deeply($bobs->{runs}, [], 'a page of what may not be seen is empty');

rows(
    ['the answer', ['GET', "/runs?$since"], 200, headers => {'Content-Type' => 'application/json',
        'Cache-Control' => 'no-store'}],
    ['without arguments', ['GET', '/runs'], 200],
    ['HEAD', ['HEAD', "/runs?$since"], 200, empty => 1],
    map({ ["$_->[0] is refused", ['GET', "/runs?$_->[0]"], 400, problem => 'bad-request',
            detail => $_->[1]] }
        ['project=', qr/argument project must be an id: 1 to 64/], ['project=.x', qr/project must be an id/],
        ['project=a%2fb', qr/project must be/], ['project=a%00', qr/project must be/],
        ['task=a%20b', qr/argument task must be an id/], ['user=', qr/user must be a user's name/],
        ['status=done', qr/must be submitted, running, completed, error or interrupted/],
        ['status=', qr/must be submitted/], ['status=unknown', qr/must be submitted/],
        ['from=yesterday', qr/argument from must be a time as RFC 3339 has it, such as 2026-/],
        ['to=2026-13-01', qr/argument to must be a time/],
        ['from=2026-11-24T03:44:25+01:00', qr/write a \+ in it as %2B/],
        ['limit=0', qr/limit must be a whole number from 1 to 500/], ['limit=501', qr/from 1 to 500/],
        ['limit=', qr/from 1 to 500/], ['limit=-1', qr/from 1 to 500/], ['limit=5x', qr/from 1 to 500/],
        ['limit=0000000000000000000005', qr/from 1 to 500/],
        ['cursor=5', qr/cursor must be what the last answer gave as next/], ['cursor=', qr/cursor must/],
        ['status=error&status=running', qr/each argument once/], ['project=%4', qr/%25/]),
);

api('POST', "/interrupt/$pid{long}");
is(run_end($pid{long})->{status}, 'interrupted', 'the long one ends');
is_deeply(pids_of_list("$since&status=interrupted"), [$pid{long}], 'and is listed as interrupted');

done();

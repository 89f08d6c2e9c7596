#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /status/{pid}?wait=SECONDS: answered when the run has ended, or with If-None-Match when it has
# changed; when the time is up, as it stands then.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use Time::Local qw(timegm);
use WfTest;

my $LONG = 20;    # seconds that no answer here may take

# timed(PATH, OPTION => …): the answer, and the seconds that it took.
sub timed
{
    my ($path, %option) = @_;
    my $begin = time;
    my $answer = api('GET', $path, %option);
    return ($answer, time - $begin);
}

# Sends a request and does not wait for the answer: a client that does.
sub begin_wait
{
    my ($path, %option) = @_;
    my $client = client();
    $client->ask('GET', "/cw/api/v2$path", %option);
    return $client;
}

sub seconds_of
{
    my ($text) = @_;
    my ($y, $mo, $d, $h, $mi, $s, $ms) = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)\.(\d+)Z$/ or die;
    return timegm($s, $mi, $h, $d, $mo - 1, $y) + $ms / 1000;
}

# The end of a run.
{
    my $pid = post_run('second');
    my ($answer, $took) = timed("/status/$pid?wait=60");
    my $late = time - seconds_of($answer->json->{completionTime});
    is($answer->status, 200, 'a run that ends is answered');
    is($answer->json->{status}, 'completed', 'as it ended');
    cmp_ok($took, '>=', 0.9, 'not before');
    cmp_ok($took, '<', $LONG, 'and long before the time is up');
    cmp_ok($late, '<', 1, 'at its end');
    note(sprintf '%.1f ms after its end', 1000 * $late);
    is(api('GET', "/status/$pid")->body, $answer->body, 'the same answer as without waiting');
    ($answer, $took) = timed("/status/$pid?wait=60", headers => {'If-None-Match' => $answer->header('ETag')});
    is($answer->status, 304, 'what has ended changes no more');
    cmp_ok($took, '<', $LONG, 'and is not waited for');
}

# The time is up; an interrupt; a change.
my $pid = post_run('long-wait');
wait_for('its progress', 10, sub { run_get($pid)->{progress} });
my ($answer, $took) = timed("/status/$pid?wait=1");
is($answer->json->{status}, 'running', 'when the time is up the run is told as it stands');
cmp_ok($took, '>=', 0.99, 'not before');
cmp_ok($took, '<', $LONG, 'nor much later');
my $etag = $answer->header('ETag');
($answer, $took) = timed("/status/$pid?wait=1", headers => {'If-None-Match' => $etag});
is($answer->status, 304, 'with a tag that still holds, 304');
cmp_ok($took, '>=', 0.99, 'when the time is up');
($answer, $took) = timed("/status/$pid?wait=60", headers => {'If-None-Match' => '"another"'});
is($answer->status, 200, 'a tag that does not hold is not waited with');
cmp_ok($took, '<', $LONG, 'at all');
my $for_end = begin_wait("/status/$pid?wait=60");
my $for_change = begin_wait("/status/$pid?wait=60", headers => {'If-None-Match' => $etag});
my $elsewhere = client(user => 'bob');
$elsewhere->ask('GET', "/api/v2/status/$pid?wait=60");
my $head = client();
$head->ask('HEAD', "/cw/api/v2/status/$pid?wait=60");
ok(!$_->is_answered(0.2), 'nothing happens, and nobody is answered')
    for $for_end, $for_change, $elsewhere, $head;
my $begin = time;
is(api('POST', "/interrupt/$pid")->status, 202, 'it is interrupted');
is($_->answer->json->{status}, 'interrupted', 'which ends the waiting') for $for_end, $elsewhere;
is($head->answer->status, 200, 'of HEAD too');
$answer = $for_change->answer;
ok($answer->json->{interruptTime}, 'and who waits for a change is told');
isnt($answer->header('ETag'), $etag, 'with another tag');
cmp_ok(time - $begin, '<', $LONG, 'all that at once');

# Every change from the queue to the end, by its tags alone.
{
    my $first = post_run('one');
    wait_for('the start of the first', 10, sub { run_get($first)->{status} eq 'running' });
    my $second = post_run('one');
    my $now = api('GET', "/status/$second");
    my @seen = ($now->json->{status});
    my $waits = begin_wait("/status/$second?wait=60", headers => {'If-None-Match' => $now->header('ETag')});
    ok(!$waits->is_answered(0.2), 'a run in the queue is waited for');
    api('POST', "/interrupt/$first");
    while (1) {
        $now = $waits->answer;
        push @seen, $now->json->{status} if $now->json->{status} ne $seen[-1];
        last if $seen[-1] !~ /^(?:submitted|running)$/;
        api('POST', "/interrupt/$second") if $now->json->{progress};
        $waits = begin_wait("/status/$second?wait=60", headers => {'If-None-Match' => $now->header('ETag')});
    }
    is("@seen", 'submitted running interrupted', 'whoever waits for changes sees each status');
}

# What may be asked for.
my $done = run_ends_as('one that ended', 'completed', 'noop')->{pid};
my @bad = (400, problem => 'bad-request', detail => qr/^wait must be a whole number of seconds from 0 to 60\.$/);
rows(
    ['no wait', ['GET', "/status/$done?wait=0"], 200],
    ['the longest', ['GET', "/status/$done?wait=60"], 200],
    ['with a zero', ['GET', "/status/$done?wait=060"], 200],
    (map { ["wait=$_", ['GET', "/status/$done?wait=$_"], @bad] }
        '61', '-1', '+1', '1.5', '1s', 'long', '', '%31%', '99999999999999999999', '1&wait=2'),
    ['HEAD', ['HEAD', "/status/$done?wait=x"], 400, empty => 1],
    ['the least bound', ['GET', "/status/$done?wait=2", base => '/small'], 200],
    ['past it', ['GET', "/status/$done?wait=3", base => '/small'], 400, problem => 'bad-request',
        detail => qr/from 0 to 2\./],
    ['another argument', ['GET', "/status/$done?await=x"], 200],
    ['a pid that never was', ['GET', '/status/0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a?wait=60'], 404,
        problem => 'unknown-run'],
    ['nobody', ['GET', "/status/$done?wait=60", user => undef], 401, problem => 'unauthorized'],
    ['HEAD /interrupt does not wait', ['HEAD', '/interrupt/' . post_run('second') . '?wait=60'], 200],
);

done();

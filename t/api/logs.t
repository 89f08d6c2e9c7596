#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /logs/{pid}: what a run has put out, whole or in part, while it executes and after; for whoever
# may run its task.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $TIME = qr/\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\]/;
my $LIMIT = 1_048_576;    # DbsyncWfOutputLimit

# A log with [T] in the place of each time; dies where there is none.
sub log_of
{
    my ($pid, %option) = @_;
    my $answer = api('GET', "/logs/$pid", %option);
    die "log of $pid: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    return $answer->body =~ s/$TIME/[T]/gr;
}

# Of a run that failed.
my $pid = run_ends_as('a run that fails', 'error', 'code')->{pid};
my $answer = api('GET', "/logs/$pid");
my $whole = $answer->body;
my $length = length $whole;
is(log_of($pid), <<'END', 'its log');
[T] main / exec (exec) begins
seen
complaint
[T] main / exec (exec) ends: error, exit-code: program "sh" of action "exec" ended with exit code 3: complaint
END
my %headers = (
    'Content-Type'           => 'text/plain; charset=utf-8',
    'Content-Length'         => $length,
    'Content-Disposition'    => "inline; filename=\"$pid.log\"",
    'X-Content-Type-Options' => 'nosniff',
    'Accept-Ranges'          => 'bytes',
    'Cache-Control'          => 'private, no-cache',
    'ETag'                   => qr/^"[0-9a-f]+-[0-9a-f]+"$/,
);
my $etag = $answer->header('ETag');
my @none = (headers => {'Content-Range' => undef, 'Content-Length' => $length});
my @known = (304, empty => 1, headers => {'ETag' => $etag, 'Content-Range' => undef});
rows(
    ['GET', ['GET', "/logs/$pid"], 200, headers => \%headers],
    ['HEAD', ['HEAD', "/logs/$pid"], 200, headers => \%headers, empty => 1],
    ['HEAD of a part', ['HEAD', "/logs/$pid", headers => {'Range' => 'bytes=1-2'}], 200, @none, empty => 1],
    ['at the other base', ['GET', "/logs/$pid", base => '/api/v2'], 200, headers => \%headers],
    ['by another user', ['GET', "/logs/$pid", user => 'bob'], 200, headers => \%headers],
    ['its tag', ['GET', "/logs/$pid", headers => {'If-None-Match' => $etag}], @known],
    ['its tag, with a range', ['GET', "/logs/$pid",
        headers => {'If-None-Match' => $etag, 'Range' => 'bytes=1-2'}], @known],
    ['HEAD with its tag', ['HEAD', "/logs/$pid", headers => {'If-None-Match' => $etag}], @known],
    ['another tag', ['GET', "/logs/$pid", headers => {'If-None-Match' => '"x"'}], 200, @none],
    ['no path', ['GET', '/logs'], 404, problem => 'not-found'],
    ['an empty one', ['GET', '/logs/'], 404, problem => 'not-found'],
    ['one too many', ['GET', "/logs/$pid/x"], 404, problem => 'not-found'],
);

# Parts: [RANGE, FROM, TO] is answered with those bytes, [RANGE] with all, [RANGE, undef] with 416.
my $last = $length - 1;
my @ranges = (
    ['bytes=0-0', 0, 0], ['bytes=0-9', 0, 9], ['bytes=10-', 10, $last], ['bytes=-7', $length - 7, $last],
    ["bytes=$last-", $last, $last], ["bytes=0-$last", 0, $last], ["bytes=5-$length", 5, $last],
    ['bytes=3-99999999999999999999', 3, $last], ['bytes=-99999', 0, $last], ['Bytes=1-2', 1, 2],
    ["bytes=$length-", undef], ['bytes=99999999999999999999-', undef], ['bytes=-0', undef],
    ['bytes=0-1,3-4'], ['bytes=4-3'], ['bytes=x'], ['lines=0-1'], ['bytes='],
);
for my $row (@ranges) {
    my ($range, $from, $to) = @{$row};
    my $part = api('GET', "/logs/$pid", headers => {'Range' => $range});
    if (@{$row} == 1) {
        is($part->status, 200, "$range: all of it");
        is($part->body, $whole, "$range: as it is");
        is($part->header('Content-Range'), undef, "$range: which is no part");
    }
    elsif (!defined $from) {
        is_problem($part, 416, 'range-not-satisfiable', "$range: nothing", qr/^The log has $length bytes\.$/);
        is($part->header('Content-Range'), "bytes */$length", "$range: and how long it is");
    }
    else {
        is($part->status, 206, "$range: a part");
        is($part->body, substr($whole, $from, $to - $from + 1), "$range: as it is");
        is($part->header('Content-Range'), "bytes $from-$to/$length", "$range: which one");
        is($part->header('Content-Length'), $to - $from + 1, "$range: how long");
        is($part->header('ETag'), $etag, "$range: of what");
    }
}
rows(map { my ($name, $condition, @expect) = @{$_};
    [$name, ['GET', "/logs/$pid", headers => {'Range' => 'bytes=1-2', 'If-Range' => $condition}], @expect] }
    ['a part of the same', $etag, 206],
    ['a part of something else', '"x"', 200, @none],
    ['a weak tag', "W/$etag", 200, @none],
    ['a date', 'Wed, 25 Nov 2026 21:00:00 GMT', 200, @none]);

# More than is kept.
my $long = run_ends_as('a run with much output', 'completed', 'long-output')->{pid};
$whole = api('GET', "/logs/$long")->body;
my $begin = "[2026-11-25T21:00:00.000Z] main / exec (exec) begins\n";
my $end = "[2026-11-25T21:00:00.000Z] main / exec (exec) ends: completed\n";
my $left = length($begin) + 3_000_000 + 100_000 + length($end) - $LIMIT;
like(substr($whole, $LIMIT), qr/^\n?$TIME the output is longer than $LIMIT bytes \(DbsyncWfOutputLimit\): $left more were left out\n$/,
    'what is beyond the limit is not kept, and it says so');
like(substr($whole, 0, $LIMIT), qr/^$TIME main \/ exec \(exec\) begins\n(?:y\n){100}/, 'what is not is');
is(substr($whole, length $begin, $LIMIT - length $begin) =~ tr/y\n//c, 0, 'as it came');
for my $range ([0, 262_143], [262_143, 262_145], [100_000, 900_000], [524_288, length($whole) - 1]) {
    my ($from, $to) = @{$range};
    $answer = api('GET', "/logs/$long", headers => {'Range' => "bytes=$from-$to"});
    ok($answer->body eq substr($whole, $from, $to - $from + 1), "bytes $from to $to of it");
}

# While it executes.
my $file = state_file('logs-go-on');
$pid = post_run('until', '{"file": "logs-go-on"}');
wait_for('its first line', 10, sub { log_of($pid) =~ /one\n/ });
is(log_of($pid), "[T] main / print (exec) begins\none\n", 'a run shows what it has put out by now');
rows(
    ['what may change', ['GET', "/logs/$pid"], 200,
        headers => {'ETag' => undef, 'Cache-Control' => 'no-store', 'Accept-Ranges' => 'bytes'}],
    ['part of it', ['GET', "/logs/$pid", headers => {'Range' => 'bytes=0-0'}], 206,
        headers => {'Content-Range' => qr{^bytes 0-0/\d+$}}],
    ['part of what it was', ['GET', "/logs/$pid", headers => {'Range' => 'bytes=0-0', 'If-Range' => $etag}],
        200],
);
open my $out, '>', $file or die "$file: $!\n";
close $out or die "$file: $!\n";
run_end($pid);
is(log_of($pid), <<'END', 'and all of it in the end');
[T] main / print (exec) begins
one
two
[T] main / print (exec) ends: completed
[T] main / say (debug) begins
three: logs-go-on
[T] main / say (debug) ends: completed
END

# Any bytes.
$pid = run_ends_as('a run that puts out bytes', 'completed', 'bytes')->{pid};
like(api('GET', "/logs/$pid")->body, qr/begins\na\377b\000c\n\[/, 'come as they are');

# A run that waits, and one that is interrupted meanwhile.
my $first = post_run('one');
wait_for('the start of the first', 10, sub { run_get($first)->{status} eq 'running' });
$pid = post_run('one');
rows(
    ['nothing yet', ['GET', "/logs/$pid"], 200, empty => 1, headers => {'Content-Length' => 0}],
    ['nor a part of it', ['GET', "/logs/$pid", headers => {'Range' => 'bytes=0-'}], 416,
        problem => 'range-not-satisfiable'],
    map { ['interrupted', ['POST', "/interrupt/$_"], 202] } $pid, $first,
);
run_end($first);
is(log_of($first), "[T] main / exec (exec) begins\n[T] main / exec (exec) ends: interrupted\n",
    'an interrupt is in the log');

# Whom it is shown to.
$pid = post_run('echo', '"alone"', project => '601');
run_end($pid);
my $never = '0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a';
rows(
    ['who may run the task', ['GET', "/logs/$pid"], 200],
    ['who may not', ['GET', "/logs/$pid", user => 'bob'], 404, problem => 'unknown-run'],
    ['a pid that never was', ['GET', "/logs/$never", user => 'bob'], 404, problem => 'unknown-run'],
    ['none at all', ['GET', '/logs/x'], 404, problem => 'unknown-run'],
    ['in the other vhost', ['GET', "/logs/$pid", other => 1], 404, problem => 'unknown-run'],
);
is(api('GET', "/logs/$pid", user => 'bob')->body, api('GET', "/logs/$never", user => 'bob')->body,
    'refused and unknown look alike');

done(qr/AH01631: user bob: authorization failure/);

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Idempotency-Key: the same request with the same key is answered with its first run, and starts no
# second one, however many send it at a time.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $RUN = '/projects/600/tasks/noop/run?trigger=API';
my $count = 0;

# A key that no other test has, and no earlier round of this one.
sub new_key { return "$$-" . time . '-' . ++$count }

sub keyed
{
    my ($key, %option) = @_;
    my $path = delete $option{path} // $RUN;
    return ['POST', $path, json => '{"n": 1}', headers => {'Idempotency-Key' => $key}, %option];
}

my $key = new_key();
my $first = api(@{keyed($key)});
is($first->status, 202, 'the first request is accepted');
is($first->header('Idempotency-Replayed'), undef, 'and nothing is replayed');
my $pid = $first->json->{pid};
run_end($pid);
my %replayed = (
    run     => {pid => $pid, status => 'completed', submitTime => $first->json->{submitTime}},
    headers => {'Idempotency-Replayed' => 'true', 'Location' => qr{/status/\Q$pid\E$}},
);
my %reused = (problem => 'idempotency-key-reused', detail => qr/new key/,
    headers => {'Idempotency-Replayed' => undef});
rows(
    ['the same again', keyed($key), 202, %replayed],
    ['and again', keyed($key), 202, %replayed],
    ['in the other spelling', keyed($key, path => '/project/600/task/noop/run?trigger=API'), 202, %replayed],
    ['at the other base', keyed($key, base => '/api/v2'), 202, %replayed],
    ['chunked', ['POST', $RUN, type => 'application/json', chunks => ['{"n"', ': 1}'],
        headers => {'Idempotency-Key' => $key}], 202, %replayed],
    ['with another body', keyed($key, json => '{"n":1}'), 422, %reused],
    ['with a longer one', keyed($key, json => '{"n": 1} '), 422, %reused],
    ['for another task', keyed($key, path => '/projects/600/tasks/echo/run?trigger=API'), 422, %reused],
    ['for another project', keyed($key, path => '/projects/602/tasks/noop/run?trigger=API'), 422, %reused],
    ['by another user', keyed($key, user => 'bob'), 202, headers => {'Idempotency-Replayed' => undef},
        run => {user => 'bob', pid => qr/^(?!\Q$pid\E)/}],
    ['in another vhost', keyed($key, other => 1), 202, headers => {'Idempotency-Replayed' => undef},
        run => {pid => qr/^(?!\Q$pid\E)/}],
    ['without a key', ['POST', $RUN, json => '{"n": 1}'], 202,
        headers => {'Idempotency-Replayed' => undef}, run => {pid => qr/^(?!\Q$pid\E)/}],

    ['a key of 255 characters', keyed('a' x 255), 202],
    ['a key of any visible characters', keyed(join '', map {chr} 0x21 .. 0x7e), 202],
    map({ ["$_->[0] is no key", keyed($_->[1]), 400, problem => 'bad-request',
            detail => qr/Idempotency-Key of 1 to 255 visible ASCII characters/] }
        ['nothing', ''], ['256 characters', 'a' x 256], ['a space within', 'a b'], ['a tab within', "a\tb"],
        ['a letter beyond ASCII', "caf\xc3\xa9"], ['two of them', "a\r\nIdempotency-Key: b"]),
);

# What is refused keeps no key.
$key = new_key();
rows(
    ['a body that is no JSON', keyed($key, json => '{'), 400, problem => 'invalid-json'],
    ['then another request', keyed($key), 202, headers => {'Idempotency-Replayed' => undef}],
);

# A run that is ended, or must not overlap, is a run all the same.
$key = new_key();
my $refuse = '/projects/605/tasks/refuse/run?trigger=API';
$pid = api(@{keyed($key, path => $refuse)})->json->{pid};
rows(
    ['a task that refuses others', keyed($key, path => $refuse), 202, run => {pid => $pid}],
    ['which it does', keyed(new_key(), path => $refuse), 409, problem => 'already-running'],
);
api('POST', "/interrupt/$pid");
run_end($pid);
rows(['an interrupted one', keyed($key, path => $refuse), 202,
    run => {pid => $pid, status => 'interrupted'}]);

# Many clients repeat the same requests at a time: there is one run a key.
my ($CLIENTS, $KEYS, $REPEATS) = (8, 10, 3);
my @keys = map { new_key() } 1 .. $KEYS;
my @readers;
for (1 .. $CLIENTS) {
    pipe my $reader, my $writer or die "pipe: $!\n";
    my $child = fork // die "fork: $!\n";
    if ($child == 0) {
        my $client = client(keep => 1);
        for my $repeat (1 .. $REPEATS) {
            for my $one (@keys) {
                my (undef, $path, %option) = @{keyed($one)};
                my $answer = $client->request('POST', "/cw/api/v2$path", type => 'application/json',
                    body => $option{json}, headers => $option{headers});
                my $replayed = $answer->header('Idempotency-Replayed') // 'false';
                print {$writer} join(' ', $one, $answer->status, $answer->json->{pid}, $replayed), "\n";
            }
        }
        close $writer or die "a pipe: $!\n";
        require POSIX;
        POSIX::_exit(0);
    }
    close $writer or die "a pipe: $!\n";
    push @readers, [$child, $reader];
}
my (%pids, %fresh, $answers, @wrong);
for (@readers) {
    my ($child, $reader) = @{$_};
    while (my $line = <$reader>) {
        chomp $line;
        my ($one, $status, $run, $replayed) = split / /, $line;
        $answers++;
        push @wrong, $line if $status != 202;
        $pids{$one}{$run} = 1;
        $fresh{$one}++ if $replayed eq 'false';
    }
    waitpid $child, 0;
    is($?, 0, 'a client ends well');
}
is($answers, $CLIENTS * $KEYS * $REPEATS, 'every request is answered');
is_deeply(\@wrong, [], 'with 202');
is_deeply([map { scalar keys %{$pids{$_}} } @keys], [(1) x $KEYS], 'and one run a key');
is_deeply([map { $fresh{$_} } @keys], [(1) x $KEYS], 'of which one answer is not a replay');
run_end((keys %{$pids{$_}})[0]) for @keys;

done();

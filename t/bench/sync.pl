#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Copies rows from SQLite to PostgreSQL and back by "write", beside `psql \copy` and sqlite3's
# `.import` of the same rows into the same table; scripts/bench sync calls it in a running test server.
#
#   sync.pl ROWS ROUNDS
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfBench qw(median row);
use WfConfig qw(server_var);
use WfDatabase ();
use WfServer qw(pid_of);
use WfSql qw(post_actions runner_peak);
use WfTest qw(run_end);

my ($rows, $rounds) = @ARGV;
my $state = server_var('t_state');
my @COLUMNS = qw(id name city amount changed);
my $TABLE = 'CREATE TABLE customer (id %s PRIMARY KEY, name text, city text, amount %s, changed text)';

my $lite = WfDatabase->start('sqlite3', "$state/bench-sqlite3");
my $pg = WfDatabase->start('pgsql', "$state/bench-pgsql", fsync => 'on');
my $csv = "$state/bench.csv";
my %seconds;
my $peak = 0;     # megabytes of the runner, at most, so far
my $upto = $rows; # how many are copied

# The rows: some hundred bytes each.
sub fill
{
    $lite->sql(sprintf "$TABLE; %s", 'integer', 'numeric', <<"END");
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $rows)
INSERT INTO customer SELECT i, 'Customer number ' || i, 'City ' || (i % 1000),
    (i % 100000) / 100.0, datetime(1700000000 + i, 'unixepoch') FROM n;
END
    $lite->sql(".mode csv\n.once $csv\nSELECT * FROM customer ORDER BY id;\n");
    $pg->sql(sprintf($TABLE, 'bigint', 'numeric(12,2)'));
    return;
}

sub clock
{
    my ($name, $code) = @_;
    my $begun = time;
    $code->();
    push @{$seconds{$name}}, time - $begun;
    return;
}

# Runs the write, and takes the time between the run's start and its end.
sub copy
{
    my ($name, $from, $to, $more) = @_;
    my $run = run_end(post_actions([{
        action    => 'write',
        connector => 'to',
        object    => 'customer',
        operation => 'upsert',
        key       => ['id'],
        map       => {map { ($_ => "{{$_}}") } @COLUMNS},
        source    => {connector => 'from', params => {more => $more},
            sql => "SELECT id, name, city, amount + :more AS amount, changed FROM customer WHERE id <= $upto"},
    }], connectors => {from => $from, to => $to}), seconds => 600);
    die "$name: $run->{status}: $run->{error}{detail}\n" if $run->{status} ne 'completed';
    die "$name: $run->{result}{written} of $upto\n" if $run->{result}{written} != $upto;
    my ($start, $end) = map { seconds_of($run->{$_}) } qw(startTime completionTime);
    push @{$seconds{$name}}, $end - $start;
    my $now = runner_peak(pid_of('runner'));
    $peak = $now if $now > $peak;
    return;
}

# Seconds since midnight of a time; a run that goes past it is measured again.
sub seconds_of
{
    my ($text) = @_;
    my ($h, $m, $s) = $text =~ /T(\d+):(\d+):([\d.]+)Z/;
    return $h * 3600 + $m * 60 + $s;
}

sub empty_pg { $pg->sql('TRUNCATE customer; VACUUM customer; CHECKPOINT'); return }

sub into_pg
{
    empty_pg();
    clock('psql \copy', sub { $pg->sql("\\copy customer FROM '$csv' WITH (FORMAT csv)") });
    empty_pg();
    copy('SQLite to PostgreSQL', $lite, $pg, 0);
    $pg->sql('VACUUM ANALYZE customer; CHECKPOINT');
    copy('again, over the same rows', $lite, $pg, 0);
    $pg->sql('VACUUM ANALYZE customer; CHECKPOINT');
    copy('again, each row changed', $lite, $pg, 1);
    return;
}

sub fresh_lite
{
    my $db = WfDatabase->start('sqlite3', "$state/bench-target");
    $db->sql(sprintf $TABLE, 'integer', 'numeric');
    return $db;
}

sub into_lite
{
    my $db = fresh_lite();
    clock('sqlite3 .import', sub { $db->sql(".import --csv $csv customer\n") });
    $db = fresh_lite();
    copy('PostgreSQL to SQLite', $pg, $db, 0);
    copy('again, over the same rows (SQLite)', $pg, $db, 0);
    copy('again, each row changed (SQLite)', $pg, $db, 1);
    return;
}

# How much memory the runner needs for few rows, whatever is done with them; for all of them it must
# not be more.
sub few
{
    $upto = int $rows / 10;
    into_pg();
    into_lite();
    $upto = $rows;
    %seconds = ();
    return $peak;
}

sub report
{
    my ($tool, %names) = @_;
    my $base = median(@{$seconds{$tool}});
    for my $name (sort keys %names) {
        my $median = median(@{$seconds{$name}});
        my @pairs = map { $seconds{$tool}[$_] / $seconds{$name}[$_] } 0 .. $rounds - 1;
        row(name => "write, $name / $tool, rows/s", goal => $names{$name}, value => median(@pairs),
            rates => {write => $rows / $median, tool => $rows / $base},
            how => "$rows rows from a streamed statement, upsert by key, $rounds rounds");
    }
    return;
}

fill();
my $few = few();
for (1 .. $rounds) {
    into_pg();
    into_lite();
}
report('psql \copy', 'SQLite to PostgreSQL' => '>= 0.50', 'again, over the same rows' => '',
    'again, each row changed' => '');
report('sqlite3 .import', 'PostgreSQL to SQLite' => '>= 0.50', 'again, over the same rows (SQLite)' => '',
    'again, each row changed (SQLite)' => '');
row(name => "write: the runner's peak memory, $rows rows / a tenth of them", goal => 'flat', value => $peak / $few,
    rates => {few => $few, all => $peak}, how => 'resident, MB');

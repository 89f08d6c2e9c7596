#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Databases, by PostgreSQL: query, sql and write; and rows in bulk.
use strict;
use warnings FATAL => 'all';
use IO::Select ();
use IO::Socket::INET ();
use Time::HiRes qw(time);
use WfSql;
use WfSqlMore;
use WfSqlSuite;
use WfTest;

my $db = begin_database('pgsql');
WfSqlSuite::all($db);

WfSqlMore::types($db,
    ['a bigint', 'b numeric(38,10)', 'c numeric', 'd text', 'e bytea', 'f boolean', 'g timestamptz',
        'h date', 'i double precision', 'json json', 'k jsonb', 'l int[]', 'm uuid', 'n real',
        'o varchar(5)', 'p char(3)', 'q timestamp'],
    ['9223372036854775807', '1234567890123456789012345678.0123456789', '0.10',
        qq{E'it''s "\\\\" \\t\\n\x{F0}\x{9F}\x{98}\x{80} \\\\N'}, q{'\x00ff5c'}, 'true',
        q{'2026-07-01 12:30:00.123456+02'}, q{'2026-02-28'}, '0.1', q{'{"b": [1, 1.50], "a": null}'},
        q{'{"b": 1}'}, q{'{1,2,NULL}'}, q{'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'}, '1e-7',
        q{''}, q{'x'}, q{'2026-07-01 12:30:00'}],
    ['9223372036854775807', '1234567890123456789012345678.0123456789', '0.10',
        qq{"it's \\"\\\\\\" \\t\\n\x{F0}\x{9F}\x{98}\x{80} \\\\N"}, '"AP9c"', 'true',
        '"2026-07-01 12:30:00.123456+02"', '"2026-02-28"', '0.1', '{"b": [1, 1.50], "a": null}',
        '{"b": 1}', '"{1,2,NULL}"', '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"', '1e-07',
        '""', '"x  "', '"2026-07-01 12:30:00"']);

my %with = (connectors => {db => $db});
my $run;
$db->sql('TRUNCATE customer');
for my $rows (1, 50) {
    $run = run_actions("a NUL in $rows rows", 'error', [write_action()], %with,
        json => '[' . join(',', map {qq({"id": $_, "name": "a\\u0000b"})} 1 .. $rows) . ']');
    like($run->{error}{detail}, qr/^row 1 could not be written: invalid byte sequence/,
        'is refused, not cut');
}

# What only fails at the commit is still one row's fault.
$db->sql('CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);'
    . 'CREATE TABLE child (id int PRIMARY KEY, of int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)');
$run = run_actions('a deferred constraint', 'completed', [write_action(object => 'child',
    map => {id => '{{id}}', of => '{{of}}'}, onFailedRow => {skip => 1})], %with,
    json => [map { {id => $_, of => $_ == 33 ? 2 : 1} } 1 .. 60]);
is_deeply($run->{result}, {read => 60, written => 59, failed => 1}, 'leaves the one row out');

# Not a table that rows can be copied into.
$db->sql('CREATE VIEW seen AS SELECT * FROM customer; '
    . 'CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS '
    . q{'BEGIN INSERT INTO customer VALUES (NEW.id, NEW.name, NEW.city); RETURN NEW; END'; }
    . 'CREATE RULE r AS ON INSERT TO seen DO INSTEAD INSERT INTO customer VALUES (NEW.*)');
$run = run_actions('a view with a rule', 'completed',
    [write_action(object => 'seen', operation => 'insert')], %with,
    json => [map { {id => $_, name => 'v'} } 1 .. 60]);
is($db->sql(q{SELECT count(*) FROM customer WHERE name = 'v'}), "60\n", 'takes rows');

# Bytes for a column of bytes, and of text; few rows and many.
$db->sql('CREATE TABLE bytes (id int PRIMARY KEY, b bytea, t text)');
for my $rows (3, 60) {
    run_actions("bytes in $rows rows", 'completed', [write_action(object => 'bytes',
        source => {connector => 'db',
            sql => qq{SELECT i, '\\x00ff5c27'::bytea AS b FROM generate_series(1, $rows) i}},
        map => {id => '{{i}}', b => '{{b}}', t => '{{b}}'})], %with);
    is($db->sql(q{SELECT count(*) FROM bytes WHERE b = '\x00ff5c27' AND t = 'AP9cJw=='}),
        "$rows\n", 'stay bytes, and become base64');
}

# A row that is just so already gets no new version; in a schema of another name.
$db->sql('CREATE SCHEMA "Other s"; CREATE TABLE "Other s"."The t" ("Id" int PRIMARY KEY, j json);'
    . q{INSERT INTO "Other s"."The t" SELECT i, '{"a": 1}' FROM generate_series(1, 100) i});
my $xmin = q{SELECT count(DISTINCT xmin::text) FROM "Other s"."The t"};
my @again = (write_action(object => 'Other s.The t', key => ['Id'],
    map => {Id => '{{id}}', j => '{{j}}'}));
run_actions('rows that are there', 'completed', \@again, %with,
    json => '[' . join(',', map {qq({"id": $_, "j": {"a": 1}})} 1 .. 101) . ']');
is($db->sql($xmin), "2\n", 'stay as they are, but for a new one');
run_actions('rows that differ', 'completed', \@again, %with,
    json => '[' . join(',', map {qq({"id": $_, "j": {"a": 2}})} 1 .. 101) . ']');
is($db->sql(q{SELECT count(*) FROM "Other s"."The t" WHERE j->>'a' = '2'}), "101\n", 'change');

# Batches whose rows are sent while others are read: a bad row, keys that are there, a source that
# fails.
my $series = sub {
    my ($name, $status, $sql, %more) = @_;
    return run_actions($name, $status, [write_action(batch => 1000,
        source => {connector => 'db', sql => $sql}, map => {id => '{{i}}', name => '{{n}}'}, %more)],
        %with);
};
$db->sql('TRUNCATE customer');
my $bad = q{SELECT i, CASE WHEN i <> 3333 THEN 'a' END AS n FROM generate_series(1, 5500) i};
$run = $series->('a bad row', 'error', $bad);
like($run->{error}{detail}, qr/^row 3333 could not be written: null value/, 'is found');
is($db->sql('SELECT count(*), max(id) FROM customer'), "3000|3000\n", 'whole batches stay');
$run = $series->('a bad row', 'completed', $bad, onFailedRow => {skip => 1});
is_deeply($run->{result}, {read => 5500, written => 5499, failed => 1}, 'is left out');
is($db->sql('SELECT count(*) FROM customer'), "5499\n", 'the others are there');
$run = $series->('rows of which some are there', 'completed',
    q{SELECT i, 'b' AS n FROM generate_series(10000, 2000, -1) i});
is($db->sql(q{SELECT count(*), count(*) FILTER (WHERE name = 'b') FROM customer}), "10000|8001\n",
    'are changed, the others added');
$run = $series->('a source that fails in its middle', 'error',
    q{SELECT i, 1 / (i - 22500) || 'c' AS n FROM generate_series(20001, 30000) i});
like($run->{error}{detail}, qr/division by zero/, 'is an error');
is($db->sql(q{SELECT count(*) FROM customer WHERE id > 20000}), "2000\n", 'whole batches stay');

# The last of two rows with one key counts, also where it is what is there already.
run_actions('a row that goes and comes back', 'completed', \@again, %with,
    json => '[' . join(',', map({qq({"id": $_, "j": {"a": 3}})} 1 .. 30),
        map({qq({"id": $_, "j": {"a": 2}})} 1 .. 30)) . ']');
is($db->sql(q{SELECT count(*) FROM "Other s"."The t" WHERE j->>'a' = '2'}), "101\n", 'is as it was');

# Rows whose key has a null have no key in common.
$db->sql('CREATE TABLE loose (a int, b int, c int, UNIQUE (a, b)); INSERT INTO loose VALUES (1, 1, 1)');
$run = run_actions('keys with a null', 'completed', [write_action(object => 'loose',
    key => ['a', 'b'], map => {a => '{{a}}', b => '{{b}}', c => '{{c}}'})], %with,
    json => [map { {a => 1, b => $_ % 2 ? 1 : undef, c => $_} } 1 .. 60]);
is($db->sql('SELECT count(*), count(b), max(c) FILTER (WHERE b = 1) FROM loose'), "31|1|59\n",
    'are rows of their own');

# A user who may not make temporary tables.
$db->sql('CREATE ROLE plain LOGIN; GRANT ALL ON customer TO plain; TRUNCATE customer;'
    . 'REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC');
my %plain = (plain => {db => $db->connector('plain')});
for my $name (qw(one two)) {
    $run = run_actions('a user without temporary tables', 'completed', [write_action()], %plain,
        json => [map { {id => $_, name => $name} } 1 .. 60]);
    is($db->sql(qq{SELECT count(*) FROM customer WHERE name = '$name'}), "60\n", 'writes, too');
}

my $busy = sub {
    $db->sql(q{SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND usename = 'wf'
        AND application_name = 'mod_dbsync_wf'}) > 0;
};
for my $sql ('SELECT pg_sleep(60)', 'SELECT count(*) FROM generate_series(1, 100000000000)') {
    for my $action (qw(query sql)) {
        WfSqlMore::ends_in_time($db, "$action $sql",
            [{action => $action, connector => 'db', sql => $sql}], $busy);
    }
}
$db->sql('TRUNCATE customer; DROP TABLE IF EXISTS orders; CREATE TABLE orders AS'
    . q{ SELECT i AS nr, 'who ' || i AS who FROM generate_series(1, 100000) i});
$run = WfSqlMore::ends_in_time($db, 'a write without end', [write_action(
    source => {connector => 'db', sql => 'SELECT i, clock_timestamp() AS t FROM'
        . ' generate_series(1, 2000000000) i'},
    map => {id => '{{i}}', name => '{{t}}'})], $busy);
is($db->sql('SELECT count(*) FROM customer') % 10_000, 0, 'whole batches are there');
is($run->{records}{written} // 0, $db->sql('SELECT count(*) FROM customer') + 0, 'and counted');

$db->sql('TRUNCATE customer');
WfSqlMore::streams_flat($db);
$db->sql('TRUNCATE customer');
WfSqlMore::killed($db, 100_000);

# The connection ends under a statement.
my $pid = post_actions([{action => 'query', connector => 'db', sql => 'SELECT pg_sleep(60)'}], %with);
wait_for('the statement', 20, $busy);
$db->sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state <> 'idle'
    AND application_name = 'mod_dbsync_wf'});
$run = run_end($pid);
is($run->{error}{type}, 'connector-failed', 'a connection that ends fails the connector');
like($run->{error}{detail}, qr/^connector "db": \w/, 'with the reason');

WfSqlMore::passwords($db);

# A server that takes the connection and says nothing.
my $mute = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die "$@\n";
my %silent = (plain => {db => {type => 'sql', driver => 'pgsql', connectTimeout => 0.3,
    params => 'host=127.0.0.1 port=' . $mute->sockport . ' user=wf dbname=x'}});
my @query = ({action => 'query', connector => 'db', sql => 'SELECT 1'});
$run = run_actions('a server that says nothing', 'error', \@query, %silent);
is($run->{error}{detail}, 'connector "db" cannot be opened: the database did not answer in time',
    'is not waited for longer than allowed');
$silent{plain}{db}{connectTimeout} = 60;
$pid = post_actions(\@query, %silent);
wait_for('the connection', 20, sub { IO::Select->new($mute)->can_read(0) && $mute->accept });
my $begun = time;
api('POST', "/interrupt/$pid");
is(run_end($pid)->{status}, 'interrupted', 'and not by a run that is to end');
cmp_ok(time - $begun, '<', 1, 'within a second');

end_database($db);
$run = run_actions('a server that is not there', 'error',
    [{action => 'query', connector => 'db', sql => 'SELECT 1'}], %with);
is($run->{error}{type}, 'connector-failed', 'fails the connector');
unlike($run->{error}{detail}, qr{/|PGSQL}, 'without a path');
done(qr/sql-\d+-\d+\.json: /, qr/WF0164: wf-runner/, qr/WF0125: runner \d+ was lost/, qr/WF0270/);

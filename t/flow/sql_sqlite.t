#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Databases, by SQLite: query, sql and write.
use strict;
use warnings FATAL => 'all';
use WfDatabase ();
use WfServer qw(pid_of);
use WfSql;
use WfSqlMore;
use WfSqlSuite;
use WfTest;

my $db = begin_database('sqlite3');
WfSqlSuite::all($db);

WfSqlMore::types($db,
    ['a integer', 'b text', 'c blob', 'd real', 'e', 'f numeric', 'g date', 'h'],
    ['9223372036854775807', qq{'it''s "' || char(92, 9, 10, 0) || '\x{F0}\x{9F}\x{98}\x{80}'},
        q{x'00ff5c'}, '0.1', '12', '1.50', q{'2026-02-28'}, q{''}],
    ['9223372036854775807', qq{"it's \\"\\\\\\t\\n\\u0000\x{F0}\x{9F}\x{98}\x{80}"}, '"AP9c"', '0.1',
        '12', '1.5', '"2026-02-28"', '""']);

# The runner has the file open.
my $open = sub {
    my $file = $db->folder . '/test.db';
    return scalar grep { (readlink // '') eq $file } glob '/proc/' . pid_of('runner') . '/fd/*';
};
my $endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)';
for my $action (qw(query sql)) {
    WfSqlMore::ends_in_time($db, "$action without end",
        [{action => $action, connector => 'db', sql => "$endless SELECT count(*) FROM n"}], $open);
}

# While it writes, others see what its committed batches have written.
$db->sql('DROP TABLE customer;' . customers_sql());
my $count = sub { $db->sql('SELECT count(*) FROM customer') + 0 };
my $other = WfDatabase->start('sqlite3', $db->folder . '-other');
my $run = WfSqlMore::ends_in_time(
    $db, 'a write without end',
    [write_action(
        batch  => 100,
        source => {connector => 'other', sql => "$endless SELECT i FROM n"},
        map    => {id => '{{i}}', name => 'n'},
    )],
    sub { $open->() && $count->() > 0 },
    {other => $other},
);
cmp_ok($run->{records}{written}, '>', 0, 'what its batches wrote is counted');
is($run->{records}{written} % 100, 0, 'whole batches');
is($count->() % 100, 0, 'are there');

$db->sql('DELETE FROM customer; DROP TABLE IF EXISTS orders; CREATE TABLE orders AS'
    . ' WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)'
    . q{ SELECT i AS nr, 'who ' || i AS who FROM n});
WfSqlMore::streams_flat($db);
$db->sql('DELETE FROM customer');
WfSqlMore::killed($db, 100_000);

my %with = (connectors => {db => $db});
$run = run_actions('a table written into itself', 'completed', [write_action(
    operation => 'insert',
    batch     => 1000,
    source    => {connector => 'db', sql => 'SELECT id + 100000 AS id, name FROM customer -- all'},
    map       => {id => '{{id}}', name => '{{name}}'},
)], %with);
is($run->{result}{written}, 100_000, 'is read as it was');
$run = run_actions('rows of a pragma', 'completed', [write_action(
    source => {connector => 'db', sql => q{PRAGMA table_info('customer')}},
    map    => {id => '{{cid}}', name => '{{name}}'},
)], %with);
is($run->{result}{written}, 3, 'are written');
end_database($_) for $db, $other;
$run = run_actions('a folder that is not there', 'error',
    [{action => 'query', connector => 'db', sql => 'SELECT 1'}], %with);
is($run->{error}{type}, 'connector-failed', 'fails the connector');
is($run->{error}{detail}, 'connector "db" cannot be opened: unable to open database file',
    'without a path');
done(qr/sql-\d+-\d+\.json: /, qr/WF0164: wf-runner/, qr/WF0125: runner \d+ was lost/);

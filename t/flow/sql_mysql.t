#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Databases, by MariaDB: query, sql and write.
use strict;
use warnings FATAL => 'all';
use WfSql;
use WfSqlMore;
use WfSqlSuite;
use WfTest;

my $db = begin_database('mysql');
WfSqlSuite::all($db);

WfSqlMore::types($db,
    ['a bigint', 'b decimal(38,10)', 'c bigint unsigned', 'd text', 'e blob', 'f boolean',
        'g datetime(6)', 'h date', 'i double', 'k time', 'l float', 'm binary(3)', 'n varchar(600)',
        'o year', 'p bit(8)'],
    ['9223372036854775807', '1234567890123456789012345678.0123456789', '18446744073709551615',
        qq{'it''s "\\\\" \\t\\n\\0\x{F0}\x{9F}\x{98}\x{80} \\\\N'}, q{x'00ff5c'}, 'true',
        q{'2026-07-01 12:30:00.123456'}, q{'2026-02-28'}, '0.1', q{'-12:30:01'}, '0.25', q{'abc'},
        q{repeat('x', 600)}, '2026', q{b'101'}],
    ['9223372036854775807', '1234567890123456789012345678.0123456789', '18446744073709551615',
        qq{"it's \\"\\\\\\" \\t\\n\\u0000\x{F0}\x{9F}\x{98}\x{80} \\\\N"}, '"AP9c"', '1',
        '"2026-07-01 12:30:00.123456"', '"2026-02-28"', '0.1', '"-12:30:01"', '0.25', '"YWJj"',
        '"' . 'x' x 600 . '"', '2026', '"BQ=="']);

my $busy = sub {
    $db->sql(q{SELECT count(*) FROM information_schema.processlist WHERE command <> 'Sleep'
        AND id <> CONNECTION_ID()}) > 0;
};
for my $sql ('SELECT SLEEP(60)', q{SELECT BENCHMARK(10000000000, MD5('x'))}) {
    for my $action (qw(query sql)) {
        WfSqlMore::ends_in_time($db, "$action $sql",
            [{action => $action, connector => 'db', sql => $sql}], $busy);
    }
}
$db->sql('DROP TABLE IF EXISTS orders; DELETE FROM customer; CREATE TABLE orders (PRIMARY KEY (nr)) AS'
    . q{ SELECT seq AS nr, CONCAT('who ', seq) AS who FROM seq_1_to_100000});
my $run = WfSqlMore::ends_in_time($db, 'a write without end', [write_action(
    source => {connector => 'db', sql => 'SELECT seq FROM seq_1_to_2000000000'},
    map    => {id => '{{seq}}', name => '{{seq}}'})], $busy);
is($db->sql('SELECT count(*) FROM customer') % 1000, 0, 'whole batches are there');

$db->sql('DELETE FROM customer');
WfSqlMore::streams_flat($db);
$db->sql('DELETE FROM customer');
WfSqlMore::killed($db, 100_000);
WfSqlMore::passwords($db);

my %with = (connectors => {db => $db});
my $pid = post_actions([{action => 'query', connector => 'db', sql => 'SELECT SLEEP(60)'}], %with);
wait_for('the statement', 20, $busy);
$db->sql(join ';', map {"KILL $_"} split /\n/, $db->sql(q{SELECT id FROM
    information_schema.processlist WHERE command <> 'Sleep' AND id <> CONNECTION_ID()}));
$run = run_end($pid);
is($run->{error}{type}, 'connector-failed', 'a connection that ends fails the connector');

end_database($db);
$run = run_actions('a server that is not there', 'error',
    [{action => 'query', connector => 'db', sql => 'SELECT 1'}], %with);
is($run->{error}{type}, 'connector-failed', 'fails the connector');
unlike($run->{error}{detail}, qr{/|socket'}, 'without a path');
done(qr/sql-\d+-\d+\.json: /, qr/WF0164: wf-runner/, qr/WF0125: runner \d+ was lost/, qr/WF0270/);

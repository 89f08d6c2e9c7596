#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Databases, by SQLite: query, sql and write.
use strict;
use warnings FATAL => 'all';
use WfSql;
use WfSqlSuite;
use WfTest;

my $db = begin_database('sqlite3');
WfSqlSuite::all($db);

my $endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n';
$db->sql('DROP TABLE customer');
$db->sql(customers_sql());

# While it writes, others see what its committed batches have written.
my $count = sub { $db->sql('SELECT count(*) FROM customer') };
my $seen = 0;
my $run = WfSqlSuite::ends_in_time(
    $db, 'a write without end',
    [write_action(
        batch  => 100,
        source => {connector => 'db', sql => $endless},
        map    => {id => '{{i}}', name => 'n'},
    )],
    sub { my $now = $count->(); my $moved = $now > $seen; $seen = $now; return $moved },
);
is($count->() % 100, 0, 'whole batches are there');
is($run->{records}{written} % 100, 0, 'and counted');

end_database($db);
done(qr/WF0117|project/);

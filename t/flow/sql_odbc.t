#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Databases, by ODBC: PostgreSQL's driver, as one that is handled without knowing it.
use strict;
use warnings FATAL => 'all';
use WfSql;
use WfSqlSuite;
use WfTest;

my ($driver) = glob '/usr/lib/*/odbc/psqlodbcw.so';
plan(skip_all => 'the package odbc-postgresql is missing') if !$driver;

my $db = begin_database('pgsql', odbc => 1);
WfSqlSuite::all($db);
end_database($db);
done(qr/sql-\d+-\d+\.json: /);

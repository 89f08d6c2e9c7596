#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Databases, by PostgreSQL: query, sql and write; and rows in bulk.
use strict;
use warnings FATAL => 'all';
use WfSql;
use WfSqlSuite;
use WfTest;

my $db = begin_database('pgsql');
WfSqlSuite::all($db);
end_database($db);
done(qr/project/);

# SPDX-License-Identifier: Apache-2.0
package WfSqlSuite;

# What every database must do alike: the actions query, sql and write, what fails in them, and that
# nothing in a body is ever taken for SQL. Each function is one theme, and makes its own tables.
use strict;
use warnings FATAL => 'all';
use WfSql;
use WfTest;

# Text that would do harm if it were ever part of a statement.
my @HOSTILE = (
    q{'; DROP TABLE customer; --},
    q{" OR "1"="1},
    q{\'; DROP TABLE customer; -- },
    q{` OR 1=1 #},
    q{:id $1 ? %s %d {{name}} ${x}},
    q{') ON CONFLICT DO NOTHING; DELETE FROM customer; --},
    "\\N\tx\nNULL\r\\.\n",
    "\x{1F600} \x{E9} \x{202E}",
    q{\\x41 $$ $a$ /* },
);

# All of it, with a fresh set of tables for each theme.
sub all
{
    my ($db) = @_;
    queries($db);
    statements($db);
    operations($db);
    failed_rows($db);
    many_failed_rows($db);
    streams($db);
    hooks($db);
    incremental($db);
    names($db);
    hostile($db);
    broken_projects($db);
    return;
}

sub _fresh
{
    my ($db, @more) = @_;
    $db->sql(join '', map {"$_;\n"} 'DROP TABLE IF EXISTS customer',
        'DROP TABLE IF EXISTS audit', 'DROP TABLE IF EXISTS orders', customers_sql(), @more);
    return (connectors => {db => $db});
}

sub _customers
{
    my ($db, $order) = @_;
    my $name = $db->kind eq 'mysql' ? q{COALESCE(city, '')} : 'city';
    return $db->sql("SELECT id, name, $name FROM customer ORDER BY id");
}

# ---- query ----

sub queries
{
    my ($db) = @_;
    my %with = _fresh($db, q{INSERT INTO customer VALUES (1, 'Ada', 'London'), (2, 'Bob', NULL)});
    my @query = (action => 'query', connector => 'db');
    my $sql = 'SELECT id, name, city FROM customer WHERE id > :least ORDER BY id';

    my $run = run_actions('a query', 'completed',
        [{@query, sql => $sql, params => {least => '{{n}}'}}], %with, json => {n => 0});
    is_deeply($run->{result},
        [{id => 1, name => 'Ada', city => 'London'}, {id => 2, name => 'Bob', city => undef}],
        'its rows');
    is($run->{records}{read}, 2, 'they are counted');

    $run = run_actions('its first row', 'completed',
        [{@query, sql => $sql, params => {least => 1}, first => \1}], %with);
    is_deeply($run->{result}, {id => 2, name => 'Bob', city => undef}, 'alone');
    $run = run_actions('no row', 'completed',
        [{@query, sql => $sql, params => {least => 9}, first => \1, into => 'x'}], %with);
    is($run->{result}, undef, 'is null');
    $run = run_actions('no rows', 'completed',
        [{@query, sql => $sql, params => {least => 9}}], %with);
    is_deeply($run->{result}, [], 'are an empty array');

    $run = run_actions('more rows than allowed', 'error',
        [{@query, sql => $sql, params => {least => 0}, max => 1}], %with);
    is($run->{error}{type}, 'rows-failed', 'are an error');
    like($run->{error}{detail}, qr/more than 1 rows; raise "max"/, 'that says so');

    $run = run_actions('a table in memory', 'completed',
        [{@query, sql => $sql, params => {least => 0}, memtable => {name => 'c', key => 'id'}}],
        %with);
    is_deeply($run->{result}, {rows => 2}, 'is filled');
    $run = run_actions('by a column that is not there', 'error',
        [{@query, sql => $sql, params => {least => 0}, memtable => {name => 'c', key => 'nr'}}],
        %with);
    like($run->{error}{detail}, qr/has no column "nr"/, 'is an error');

    $run = run_actions('a statement that the database refuses', 'error',
        [{@query, sql => 'SELECT missing FROM nowhere'}], %with);
    is($run->{error}{type}, 'sql-failed', 'is an error');
    like($run->{error}{detail}, qr/^connector "db": .*nowhere/, 'with the reason');
    return;
}

# ---- sql ----

sub statements
{
    my ($db) = @_;
    my %with = _fresh($db);
    my @sql = (action => 'sql', connector => 'db');
    my $insert = 'INSERT INTO customer (id, name) VALUES (:id, :name)';

    my $run = run_actions('a statement', 'completed',
        [{@sql, sql => $insert, params => {id => '{{id}}', name => '{{name}}'}}],
        %with, json => {id => 1, name => 'Ada'});
    is_deeply($run->{result}, {affected => 1}, 'says how many rows it touched');

    $run = run_actions('several', 'completed',
        [{@sql, params => {n => 'x'}, sql => [
            'INSERT INTO customer (id, name) VALUES (2, :n)',
            'INSERT INTO customer (id, name) VALUES (3, :n)',
            'UPDATE customer SET city = :n',
        ]}], %with);
    is_deeply($run->{result}, {affected => 5}, 'say it together');

    $run = run_actions('several of which one fails', 'error',
        [{@sql, sql => ['DELETE FROM customer', q{INSERT INTO customer (id) VALUES (9)}]}], %with);
    is($run->{error}{type}, 'sql-failed', 'are an error');
    is($db->sql('SELECT count(*) FROM customer'), "3\n", 'and did nothing');

    $run = run_actions('the connection is good for what follows', 'completed',
        [{@sql, sql => 'INSERT INTO customer (id) VALUES (9)', onError => 'continue'},
         {@sql, sql => 'DELETE FROM customer WHERE id = 1'}], %with);
    is_deeply($run->{result}, {affected => 1}, 'after a failure');
    return;
}

# ---- write ----

sub operations
{
    my ($db) = @_;
    my %with = _fresh($db);
    for my $rows (3, 50) {
        # Few and many rows may take different ways.
        $db->sql('DELETE FROM customer');
        my $some = sub { [map { {id => $_, name => "$_[0]$_", city => 'x'} } @_[1 .. $#_]] };
        my $run = run_actions("insert $rows", 'completed', [write_action(operation => 'insert')],
            %with, json => $some->('a', 1 .. $rows));
        is_deeply($run->{result}, {read => $rows, written => $rows, failed => 0}, 'counted');
        is($db->sql('SELECT count(*), min(name), max(id) FROM customer'), "$rows|a1|$rows\n", 'there');

        my $half = int($rows / 2);
        my $most = $rows + $half;
        $run = run_actions("upsert $rows, of which some are new", 'completed', [write_action()],
            %with, json => $some->('b', $half + 1 .. $most));
        is_deeply($run->{result}, {read => $rows, written => $rows, failed => 0}, 'counted');
        is($db->sql(q{SELECT count(*), sum(CASE WHEN name LIKE 'b%' THEN 1 ELSE 0 END)
            FROM customer}), "$most|$rows\n", 'there');

        $run = run_actions("update $rows, of which one is not there", 'completed',
            [write_action(operation => 'update', map => {id => '{{id}}', city => 'new {{name}}'})],
            %with, json => $some->('c', 2 .. $rows, 10_000));
        is_deeply($run->{result}, {read => $rows, written => $rows - 1, failed => 0}, 'counted');
        is($db->sql(q{SELECT count(*) FROM customer WHERE city LIKE 'new c%'}),
            $rows - 1 . "\n", 'there');

        $run = run_actions("delete $rows, of which one is not there", 'completed',
            [write_action(operation => 'delete', map => {id => '{{id}}'})],
            %with, json => $some->('d', 2 .. $rows, 10_000));
        is_deeply($run->{result}, {read => $rows, written => $rows - 1, failed => 0}, 'counted');
        is($db->sql('SELECT count(*) FROM customer'), $most - $rows + 1 . "\n", 'gone');

        # One key twice: the last one counts.
        run_actions('rows with one key', 'completed', [write_action()], %with,
            json => [@{$some->('e', 1 .. $rows)}, @{$some->('f', 1 .. $rows)}]);
        is($db->sql(qq{SELECT count(*), min(name) FROM customer WHERE id <= $rows}),
            "$rows|f1\n", 'the last one counts');
        run_actions('updates with one key', 'completed', [write_action(operation => 'update')], %with,
            json => [@{$some->('g', 1 .. $rows)}, @{$some->('h', 1 .. $rows)}]);
        is($db->sql(qq{SELECT count(*), min(name) FROM customer WHERE id <= $rows}),
            "$rows|h1\n", 'the last one counts');
    }
    my $run = run_actions('one row', 'completed', [write_action()], %with,
        json => {id => 7, name => 'Seven'});
    is($run->{result}{written}, 1, 'is an object');
    $run = run_actions('no rows', 'completed', [write_action()], %with, json => []);
    is_deeply($run->{result}, {read => 0, written => 0, failed => 0}, 'are none');
    run_actions('rows of a path', 'completed', [write_action(from => '{{a/b}}')], %with,
        json => {a => {b => [{id => 8, name => 'Eight'}]}});
    is($db->sql('SELECT name FROM customer WHERE id = 8'), "Eight\n", 'are written');
    run_actions('rows of a query', 'completed', [
        {action => 'query', connector => 'db', sql => 'SELECT 9 AS id, name FROM customer WHERE id = 8',
            into => 'rows'},
        write_action(from => '{{@rows}}')], %with);
    is($db->sql('SELECT name FROM customer WHERE id = 9'), "Eight\n", 'are written from a variable');
    run_actions('keys alone', 'completed', [write_action(map => {id => '{{id}}', name => '{{name}}'},
        key => ['id', 'name'])], %with, json => [map { {id => $_, name => 'k'} } 100 .. 110])
        if $db->kind eq 'mysql';
    run_actions('what is no row', 'error', [write_action()], %with, json => 5);
    return;
}

sub failed_rows
{
    my ($db) = @_;
    my %with = _fresh($db);
    my @rows = map { {id => $_, name => $_ % 10 == 5 ? undef : "n$_"} } 1 .. 40;

    my $run = run_actions('a row that fails', 'error', [write_action()], %with, json => \@rows);
    is($run->{error}{type}, 'rows-failed', 'stops the action');
    like($run->{error}{detail}, qr/^row 5 could not be written: .*name/, 'with its number');
    is($db->sql('SELECT count(*) FROM customer'), "0\n", 'nothing of its batch is there');
    my ($failed) = @{$run->{actions}[0]{failedRows}};
    is_deeply($failed->{row}, {id => 5, name => undef, city => undef}, 'the row is shown');
    like($failed->{reason}, qr/name/, 'with the reason');
    is_deeply($run->{records}, {read => 40, written => 0, failed => 1}, 'and counted');

    $run = run_actions('batches before it', 'error', [write_action(batch => 2)], %with,
        json => \@rows);
    is($db->sql('SELECT count(*) FROM customer'), "4\n", 'stay');
    is($run->{records}{written}, 4, 'and are counted');

    $run = run_actions('rows that may fail', 'completed',
        [write_action(onFailedRow => {skip => 4})], %with, json => \@rows);
    is_deeply($run->{result}, {read => 40, written => 36, failed => 4}, 'are left out');
    is($db->sql('SELECT count(*) FROM customer'), "36\n", 'the others are there');
    is_deeply([map { $_->{row}{id} } @{$run->{actions}[0]{failedRows}}], [5, 15, 25, 35], 'shown');

    $run = run_actions('one more than may fail', 'error',
        [write_action(onFailedRow => {skip => 3}, batch => 10)], %with, json => \@rows);
    like($run->{error}{detail}, qr/^row 35 could not be written, one more than may be skipped/,
        'stops the action');
    is($run->{records}{written}, 27, 'the batches before it count');

    $run = run_actions('a row whose insert fails', 'completed',
        [write_action(operation => 'insert', onFailedRow => {skip => 1})], %with,
        json => [map { {id => $_, name => 'x'} } 36, 101 .. 130]);
    is_deeply($run->{result}, {read => 31, written => 30, failed => 1}, 'for its key is left out');
    return;
}

sub many_failed_rows
{
    my ($db) = @_;
    my %with = _fresh($db);
    my @rows = map { {id => $_, name => $_ % 2 ? undef : "n$_", city => 'y' x 20} } 1 .. 300;
    my $run = run_actions('many rows that fail', 'completed',
        [write_action(onFailedRow => {skip => 1000})], %with, json => \@rows);
    is_deeply($run->{result}, {read => 300, written => 150, failed => 150}, 'are counted');
    is(scalar @{$run->{actions}[0]{failedRows}}, 100, 'the first hundred are shown');
    is($run->{actions}[0]{failedRowsLeftOut}, 50, 'and the others counted');
    is($db->sql('SELECT count(*) FROM customer'), "150\n", 'the good ones are there');
    return;
}

# From one table into another of the same connector.
sub streams
{
    my ($db) = @_;
    my %with = _fresh($db, 'CREATE TABLE orders (nr int PRIMARY KEY, who varchar(40), amount int)');
    $db->sql(join ";\n", map {"INSERT INTO orders VALUES ($_, 'w$_', $_)"} 1 .. 250);
    my $run = run_actions('rows of a statement', 'completed', [write_action(
        batch  => 30,
        source => {connector => 'db', sql => 'SELECT nr AS id, who AS name, amount FROM orders'
            . ' WHERE nr > :least', params => {least => '{{least}}'}},
        map    => {id => '{{id}}', name => '{{name}}', city => 'of {{@payload/least}}'},
    )], %with, json => {least => 50});
    is_deeply($run->{result}, {read => 200, written => 200, failed => 0}, 'are written');
    is($db->sql(q{SELECT count(*), min(id), max(name), min(city) FROM customer}),
        "200|51|w99|of 50\n", 'with all that they are mapped to');
    $run = run_actions('a source that fails', 'error', [write_action(
        source => {connector => 'db', sql => 'SELECT missing FROM orders'})], %with);
    like($run->{error}{detail}, qr/^connector "db": .*missing/, 'is an error');
    return;
}

sub hooks
{
    my ($db) = @_;
    my %with = _fresh($db,
        'CREATE TABLE orders (nr int PRIMARY KEY, who varchar(40), state varchar(400))');
    $db->sql(join ";\n", map { sprintf q{INSERT INTO orders VALUES (%d, %s, 'new')}, $_,
        $_ % 7 ? "'w$_'" : 'NULL' } 1 .. 60);
    my $run = run_actions('a write that tells its source', 'completed', [write_action(
        batch       => 25,
        onFailedRow => {skip => 100},
        source      => {connector => 'db', sql => q{SELECT nr, who FROM orders WHERE state = 'new'}},
        map         => {id => '{{nr}}', name => '{{who}}'},
        onSuccess   => {sql => q{UPDATE orders SET state = 'done' WHERE nr = :nr},
            params => {nr => '{{nr}}'}},
        onFailure   => {sql => q{UPDATE orders SET state = :reason WHERE nr = :nr},
            params => {nr => '{{nr}}'}},
    )], %with);
    is_deeply($run->{result}, {read => 60, written => 52, failed => 8}, 'counted');
    is($db->sql(q{SELECT count(*) FROM orders WHERE state = 'done' AND who IS NOT NULL}), "52\n",
        'of the rows that were written');
    is($db->sql(q{SELECT count(*) FROM orders WHERE state LIKE '%name%' AND who IS NULL}), "8\n",
        'and of those that were not, with the reason');

    $run = run_actions('a row that stops the action', 'error', [write_action(
        onFailure => {sql => q{INSERT INTO orders VALUES (:nr, 'stopped', :reason)},
            params => {nr => '{{id}}'}},
    )], %with, json => [{id => 900}]);
    is($db->sql(q{SELECT nr FROM orders WHERE who = 'stopped'}), "900\n", 'is told of, too');

    $run = run_actions('a statement of these that fails', 'error', [write_action(
        onSuccess => {sql => 'INSERT INTO orders VALUES (:nr, NULL, NULL)', params => {nr => 1}},
    )], %with, json => [{id => 901, name => 'x'}]);
    is($run->{error}{type}, 'sql-failed', 'is an error');
    is($db->sql(q{SELECT count(*) FROM customer WHERE id = 901}), "1\n", 'what was written stays');
    return;
}

sub incremental
{
    my ($db) = @_;
    my %with = _fresh($db, 'CREATE TABLE orders (nr int PRIMARY KEY, who varchar(40))');
    $db->sql(q{INSERT INTO orders VALUES (1, 'a'), (2, 'b'), (10, 'c')});
    my $int = {mysql => 'SIGNED'}->{$db->kind} // 'int';
    my $id = tasks_of([write_action(
        batch       => 2,
        source      => {connector => 'db',
            sql => "SELECT nr, who FROM orders WHERE nr > COALESCE(CAST(:last AS $int), 0)"},
        map         => {id => '{{nr}}', name => '{{who}}'},
        incremental => {field => 'nr'},
    )], %with);
    my $copy = sub { my $run = run_end(post_run('t', '{}', project => $id)); $run->{result} // $run->{records} };
    is_deeply($copy->(), {read => 3, written => 3, failed => 0}, 'the first run copies all');
    is_deeply($copy->(), {read => 0, written => 0, failed => 0}, 'the second one nothing');
    $db->sql(q{INSERT INTO orders VALUES (9, 'late'), (11, 'd'), (12, NULL)});
    is($copy->()->{failed}, 1, 'a run that fails');
    $db->sql(q{UPDATE orders SET who = 'e' WHERE nr = 12});
    is_deeply($copy->(), {read => 2, written => 2, failed => 0}, 'leaves no marker behind');
    is_deeply($copy->(), {read => 0, written => 0, failed => 0}, 'one that completes does');
    return;
}

sub names
{
    my ($db) = @_;
    my %with = _fresh($db);
    my %row = (json => [{id => 1, name => 'x'}]);
    my $run;
    if ($db->{odbc}) {
        # There is no catalogue to look into: what the database itself says.
        $run = run_actions('a table that is not there', 'error', [write_action(object => 'custmer')],
            %with, %row);
        like($run->{error}{detail}, qr/^connector "db": .*custmer/, 'is named');
        return;
    }
    $run = run_actions('a table that is not there', 'error', [write_action(object => 'custmer')],
        %with, %row);
    like($run->{error}{detail}, qr/^connector "db" has no table "custmer"; there are: .*customer/,
        'the detail names those that are');
    $run = run_actions('a column that is not there', 'error',
        [write_action(map => {id => '{{id}}', nam => '{{name}}'})], %with, %row);
    is($run->{error}{detail}, 'table "customer" of connector "db" has no column "nam"; it has: '
        . 'id, name, city', 'the detail names those that are');
    run_actions('names in another case', 'completed',
        [write_action(object => 'CUSTOMER', key => ['ID'], map => {ID => '{{id}}', Name => '{{name}}'})],
        %with, %row);
    is(_customers($db), "1|x|\n", 'are found');
    return;
}

sub hostile
{
    my ($db) = @_;
    my %with = _fresh($db, 'CREATE TABLE audit (id int, note text)');
    my @rows = map { {id => $_, name => $HOSTILE[$_], city => $HOSTILE[$_]} }
        0 .. $#HOSTILE;
    my @many = (@rows, map { {id => $_, name => $HOSTILE[$_ % @HOSTILE] } } @rows .. 60);
    my @query = (action => 'query', connector => 'db');
    for my $rows (\@rows, \@many) {
        my $run = run_actions('hostile texts', 'completed', [write_action(
            onSuccess => {sql => 'INSERT INTO audit VALUES (:id, :note)',
                params => {id => '{{id}}', note => '{{city}}'}},
        )], %with, json => $rows);
        is($run->{result}{written}, scalar @{$rows}, 'are written');
        $run = run_actions('and read', 'completed',
            [{@query, sql => 'SELECT id, name, city FROM customer ORDER BY id'}], %with);
        is_deeply([map { $_->{name} } @{$run->{result}}], [map { $_->{name} } @{$rows}],
            'as what they are');
    }
    for my $text (@HOSTILE) {
        my $run = run_actions('one as a parameter', 'completed', [
            {action => 'sql', connector => 'db', sql => 'UPDATE customer SET city = :t WHERE name = :t',
                params => {t => '{{t}}'}},
            {@query, sql => 'SELECT city FROM customer WHERE name = :t', params => {t => '{{t}}'},
                first => \1},
        ], %with, json => {t => $text});
        is($run->{result}{city}, $text, 'is data');
        run_actions('and where a number belongs', 'error',
            [write_action(map => {id => '{{t}}', name => 'x'})], %with, json => {t => $text})
            if $db->kind ne 'sqlite3';
    }
    is($db->sql('SELECT count(*) FROM customer'), @many . "\n", 'no row more or less');
    return;
}

# Told when the file is loaded.
sub broken_projects
{
    my ($db) = @_;
    my %with = (connectors => {db => $db});
    my @sql = (action => 'sql', connector => 'db');
    for my $row (
        [{@sql, sql => 'SELECT {{id}}'}, qr{/sql: must not hold \{\{: write :name}],
        [{@sql, sql => 'SELECT :id'}, qr{/sql: the value of :id is missing in "params"}],
        [{@sql, sql => 'SELECT 1', params => {id => 1}}, qr{/params/id: is not used}],
        [{@sql, sql => ['SELECT :a', 'SELECT :b'], params => {a => 1}}, qr{/sql/1: the value of :b}],
        [{@sql, sql => 'SELECT :a', params => {a => [1]}}, qr{/params/a: must be a string with}],
        [{@sql, connector => 'crm', sql => 'SELECT 1'}, qr{there is no connector "crm"}],
        [write_action(key => ['nr']), qr{/key/0: "map" has no column "nr"}],
        [write_action(operation => 'merge'), qr{/operation: must be one of: insert, update, upsert}],
        [write_action(operation => 'delete'), qr{/map: must have the columns in "key" alone}],
        [write_action(operation => 'update', map => {id => 1}), qr{/map: must have a column that}],
        [write_action(incremental => {field => 'x'}), qr{/incremental: needs a "source"}],
        [write_action(source => {connector => 'db', sql => 'SELECT 1'}, from => '{{a}}'),
            qr{/from: cannot be there beside "source"}],
        [write_action(onFailedRow => 'skip'), qr{/onFailedRow: must be "stop" or}],
        [write_action(source => {connector => 'db', sql => 'SELECT :last', params => {last => 1}},
            incremental => {field => 'x'}), qr{/params/last: cannot be given}],
    ) {
        my ($action, $detail) = @{$row};
        my $id = tasks_of([$action], %with);
        my $answer = api('POST', "/projects/$id/tasks/t/run?trigger=API", json => '{}');
        is_problem($answer, 500, 'invalid-project', "a project with $detail");
        log_has($detail, 'the log says where and why');
    }
    return;
}

1;

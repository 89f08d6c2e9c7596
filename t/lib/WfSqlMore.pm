# SPDX-License-Identifier: Apache-2.0
package WfSqlMore;

# What takes each database its own statements, or its own time: types, passwords, interrupts in the
# middle of a statement, memory, and a runner that is killed.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfServer qw(pid_of);
use WfSql;
use WfTest;

# types(DB, COLUMNS, EXPECTED): a table of these columns ("a bigint", …), with a row that the database
# itself has got by SQL, is read as the expected JSON, and copied into another table of the same
# columns without a difference.
sub types
{
    my ($db, $columns, $values, $expected) = @_;
    my @names = map {/^(\w+)/} @{$columns};
    my $list = join ', ', @{$columns};
    $db->sql(join '', map {"DROP TABLE IF EXISTS $_; CREATE TABLE $_ (nr int PRIMARY KEY, $list);\n"}
        'typed', 'copied');
    $db->sql('INSERT INTO typed VALUES (1, ' . join(', ', @{$values}) . ')');
    $db->sql('INSERT INTO typed (nr) VALUES (2)');
    # Enough rows for the driver's own way.
    my @more = map { join ', ', $_, map {"t.$_"} @names } 3 .. 150;
    $db->sql(join ";\n", map {"INSERT INTO typed SELECT $_ FROM typed t WHERE nr = 1"} @more);

    my $run = run_actions('all types', 'completed', [{action => 'query', connector => 'db',
        sql => 'SELECT * FROM typed WHERE nr <= 2 ORDER BY nr'}], connectors => {db => $db});
    # The body as it is: JSON::PP might round what it decodes.
    my $json = api('GET', "/status/$run->{pid}")->body;
    my ($row) = $json =~ /"result":\[\{"nr":1,(.*?)\},\{"nr":2,/;
    is($row, join(',', map {qq{"$names[$_]":$expected->[$_]}} 0 .. $#names), 'are read as they are');
    is_deeply($run->{result}[1], {nr => 2, map { ($_ => undef) } @names}, 'and nulls');

    for my $most (5, 1000) {
        $run = run_actions('all types', 'completed', [write_action(
            object => 'copied',
            key    => ['nr'],
            map    => {map { ($_ => "{{$_}}") } 'nr', @names},
            source => {connector => 'db', sql => "SELECT * FROM typed WHERE nr <= $most"},
        )], connectors => {db => $db});
        my $same = join ' AND ', map {
            my $cast = $db->kind eq 'mysql' ? "a.$_ <=> b.$_" : "a.$_ IS NOT DISTINCT FROM b.$_";
            $cast =~ s/(\w+\.json)/$1::text/g if $db->kind eq 'pgsql';
            $db->kind eq 'sqlite3' ? "a.$_ IS b.$_ AND typeof(a.$_) = typeof(b.$_)" : $cast } @names;
        is($db->sql("SELECT count(*) FROM typed a JOIN copied b ON a.nr = b.nr WHERE $same"),
            "$run->{result}{read}\n", 'are written as they are');
    }
    return;
}

# The user "secret", whose password the project file only names.
sub passwords
{
    my ($db) = @_;
    my $file = state_file('password');
    my $connector = $db->connector('secret');
    my @query = ({action => 'query', connector => 'db', sql => 'SELECT 1 AS one'});
    my $run;
    for my $row ([$db->password, 'completed'], ['wrong-pass', 'error']) {
        my ($password, $status) = @{$row};
        open my $out, '>', $file or die "$file: $!\n";
        print {$out} "$password\n";
        close $out;
        $run = run_actions('a password from a file', $status, \@query,
            plain => {db => {%{$connector}, passwordFile => $file}});
    }
    is($run->{error}{type}, 'connector-failed', 'a wrong one fails the connector');
    like($run->{error}{detail}, qr/^connector "db" cannot be opened: .*secret/, 'with the reason');
    unlike($run->{error}{detail}, qr{wrong-pass|/}, 'without the password or a path');
    unlink $file;
    $run = run_actions('a file that is not there', 'error', \@query,
        plain => {db => {%{$connector}, passwordFile => $file}});
    is($run->{error}{type}, 'connector-failed', 'fails the connector');
    unlike($run->{error}{detail}, qr{\Q$file\E}, 'without its path');
    return;
}

# ends_in_time(DB, NAME, ACTIONS, BUSY, MORE): interrupts a run once BUSY, a function, says that the
# database is at work, and lets another end by its timeout; both within a second, and with nothing
# left at work. Gives the first run. MORE has other databases by name.
sub ends_in_time
{
    my ($db, $name, $actions, $busy, $more) = @_;
    my %with = (connectors => {db => $db, %{$more // {}}});
    my $pid = post_actions($actions, %with);
    wait_for("$name to be at work", 20, $busy);
    my $begun = time;
    is(api('POST', "/interrupt/$pid")->status, 202, "$name is interrupted");
    my $run = run_end($pid);
    cmp_ok(time - $begun, '<', 1, 'it ends within a second');
    is($run->{status}, 'interrupted', 'as interrupted');
    ok(!$busy->(), 'and the database is at work no more');

    my $ended = run_end(post_actions($actions, %with, task => {timeout => 0.3}));
    is($ended->{error}{type}, 'timeout', "$name ends by its timeout");
    ok(!$busy->(), 'and the database is at work no more');
    return $run;
}

# Whole batches, and a rerun that completes what a runner that was killed had begun. ROWS is the
# source table's count; batches are of 500.
sub killed
{
    my ($db, $rows) = @_;
    my %with = (connectors => {db => $db});
    my @action = (write_action(
        batch  => 500,
        source => {connector => 'db', sql => 'SELECT nr, who FROM orders'},
        map    => {id => '{{nr}}', name => '{{who}}'},
    ));
    my $count = sub { $db->sql('SELECT count(*) FROM customer') + 0 };
    my $pid = post_actions(\@action, %with);
    wait_for('some batches', 30, sub { $count->() > 0 });
    my $runner = pid_of('runner');
    kill 'KILL', $runner or die "kill $runner: $!\n";
    my $run = run_end($pid);
    is($run->{error}{type}, 'process-lost', 'a run whose runner was killed is lost');
    my $there = $count->();
    cmp_ok($there, '<', $rows, 'before its end');
    is($there % 500, 0, 'whole batches are there');
    $run = run_actions('another one', 'completed', \@action, %with);
    is($run->{result}{written}, $rows, 'writes all');
    is($count->(), $rows, 'and they are there once');
    is($db->sql('SELECT count(*) FROM customer c JOIN orders o ON c.id = o.nr AND c.name = o.who'),
        "$rows\n", 'as they are in the source');
    return;
}

# A hundred thousand rows, with the runner's memory looked at before and after.
sub streams_flat
{
    my ($db) = @_;
    my $rows = 100_000;
    my $write = sub {
        my ($least) = @_;
        return run_actions('a stream', 'completed', [write_action(
            source => {connector => 'db', sql => 'SELECT nr, who FROM orders WHERE nr > :least',
                params => {least => $least}},
            map    => {id => '{{nr}}', name => '{{who}}'},
        )], connectors => {db => $db}, seconds => 120);
    };
    $write->($rows - 20_000);
    my $before = runner_peak(pid_of('runner'));
    my $run = $write->(0);
    is($run->{result}{written}, $rows, 'of a hundred thousand rows');
    my $peak = runner_peak(pid_of('runner'));
  SKIP: {
        skip 'ThreadSanitizer keeps notes of all memory in memory', 2 if $ENV{WF_TSAN};
        cmp_ok($peak, '<', 64, sprintf 'the runner has never taken more than 64 MB (%.0f)', $peak);
        cmp_ok($peak, '<', $before + 4, sprintf 'and no more than for 20,000 rows (%.0f)', $before);
    }
    return;
}

1;

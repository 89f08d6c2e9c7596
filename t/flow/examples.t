#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The examples in conf/projects do what they say: with databases and a service of the test's own in
# the place of those that they name, and else as they are shipped.
use strict;
use warnings FATAL => 'all';
use File::Path qw(remove_tree);
use WfConfig qw(server_var);
use WfDatabase;
use WfService;
use WfTest;

my @missing = map { WfDatabase::missing($_) } qw(sqlite3 pgsql);
plan(skip_all => "these programs are missing: @missing") if @missing;

my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;
my %folder = map { ($_ => server_var('t_state') . "/examples-$_") } qw(shop warehouse);
my $shop = WfDatabase->start('sqlite3', $folder{shop});
my $warehouse = WfDatabase->start('pgsql', $folder{warehouse});
my $service = WfService->new(server_var('service_port'), state_file('examples.service'));

sub write_file
{
    my ($file, $text) = @_;
    open my $out, '>', "$file.new" or die "$file: $!\n";
    print {$out} $text;
    close $out or die "$file: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

# Puts an example in place, with these connectors.
sub deploy
{
    my ($id, $connectors) = @_;
    open my $in, '<', server_var('top_dir') . "/conf/projects/$id.json" or die "$id: $!\n";
    my $project = $JSON->decode(do { local $/ = undef; <$in> });
    $project->{connectors} = $connectors if $connectors;
    write_file(server_var('t_state') . "/projects/$id.json", $JSON->encode($project));
    return;
}

sub example
{
    my ($name, $status, $id, $task, $payload) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return run_ends_as($name, $status, $task, $JSON->encode($payload), project => $id);
}

# 570: an order becomes rows of two tables; the same order again changes it.
$shop->sql('CREATE TABLE orders (id int PRIMARY KEY, customer text, city text, currency text, taken text);'
    . 'CREATE TABLE order_lines (order_id int, line int, sku text, quantity int, amount numeric,'
    . ' PRIMARY KEY (order_id, line))');
deploy('570', {shop => $shop->connector});
my $order = {
    id       => 7,
    customer => {name => "  Jane \t Doe", address => {city => "O'Fallon; DROP TABLE orders"}},
    lines    => [
        {no => 1, sku => 'ab-1', quantity => 2, price => '1.255'},
        {no => 2, sku => 'cd-2', quantity => '3', price => 10},
    ],
};
my $run = example('570: an order', 'completed', '570', 'order', {order => $order});
is_deeply($run->{result}, {lines => 2, total => 32.51}, 'comes to this');
is_deeply($run->{records}, {read => 4, written => 3, failed => 0}, 'its rows are counted');
like($shop->sql('SELECT id, customer, city, currency FROM orders'),
    qr/^7\|Jane.*Doe\|O'Fallon; DROP TABLE orders\|EUR\n$/, 'the order is there, as data');
is($shop->sql('SELECT sku, quantity, amount FROM order_lines ORDER BY line'),
    "AB-1|2|2.51\nCD-2|3|30\n", 'and its lines');
$order->{lines}[1]{quantity} = 4;
$run = example('570: the same order again', 'completed', '570', 'order', {order => $order});
is($run->{result}{total}, 42.51, 'changes it');
$run = example('570: an order without lines', 'error', '570', 'order', {order => {id => 8, lines => []}});
is($shop->sql('SELECT count(*) FROM orders'), "1\n", 'is refused, and not written');

# 571: only what has changed since the last run is copied.
my $columns = '(id int PRIMARY KEY, name text, city text, updated_at text)';
$shop->sql("CREATE TABLE customer $columns; INSERT INTO customer VALUES"
    . " (1, ' Ann ', 'Rome', '2026-01-01'), (2, 'Bob', NULL, '2026-01-02')");
$warehouse->sql("CREATE TABLE customer $columns");
deploy('571', {shop => $shop->connector, warehouse => $warehouse->connector});
my $copied = 'SELECT id, name, city FROM customer ORDER BY id';
$run = example('571: the first copy', 'completed', '571', 'customers', undef);
is_deeply($run->{result}, {read => 2, written => 2, failed => 0}, 'takes all');
is($warehouse->sql($copied), "1|Ann|Rome\n2|Bob|\n", 'which are there');
$shop->sql("UPDATE customer SET city = 'Oslo', updated_at = '2026-01-03' WHERE id = 2;"
    . " INSERT INTO customer VALUES (3, 'Cid', 'Bonn', '2026-01-04')");
$run = example('571: the next one', 'completed', '571', 'customers', undef);
is_deeply($run->{result}, {read => 2, written => 2, failed => 0}, 'takes what has changed');
is($warehouse->sql($copied), "1|Ann|Rome\n2|Bob|Oslo\n3|Cid|Bonn\n", 'and all of it is there');
$run = example('571: one more', 'completed', '571', 'customers', undef);
is_deeply($run->{result}, {read => 0, written => 0, failed => 0}, 'has nothing to take');

# 572: each item is looked up with a service.
write_file(server_var('t_state') . '/examples.token', "a-token\n");
deploy('572', {catalogue => {
    type      => 'rest',
    url       => 'http://127.0.0.1:' . server_var('service_port'),
    auth      => 'bearer',
    tokenFile => server_var('t_state') . '/examples.token',
}});
$run = example('572: a basket', 'completed', '572', 'price',
    {items => [{sku => 'a', quantity => 2}, {sku => 'none', quantity => 1}, {sku => 'b', quantity => 3}]});
is_deeply($run->{result}, {total => 12.5, currency => 'EUR', unknown => 1}, 'costs this');
is(join(' ', map {"$_->{target} $_->{headers}{authorization}"} $service->requests),
    join(' ', map {"/products/$_ Bearer a-token"} qw(a none b)), 'as the service was asked');

# 573: a program's failure is handled.
$run = example('573: a report', 'completed', '573', 'report', {kind => 'monthly', month => '2026-11-25'});
is($run->{result}, "delivered: report of 2026-11\n", 'is delivered');
$run = example('573: a report that there is not', 'completed', '573', 'report', {kind => 'odd'});
is($run->{result}, "delivered: no report of this kind\n", 'is said to be none');
my ($made, $debug) = @{$run->{actions}};
is($made->{attempts}, 2, 'after two attempts');
is($debug->{message}, 'make: program "sh" of action "make" ended with exit code 3: there is no report odd',
    'and the run shows why');

$_->stop for $shop, $warehouse;
remove_tree(values %folder);
deploy($_) for 570 .. 572;

done();

# SPDX-License-Identifier: Apache-2.0
package WfSql;

# What the tests of databases share: project files of a test's own, their runs, and the tables and
# tasks that every driver must handle alike.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use File::Path qw(remove_tree);
use JSON::PP ();
use WfConfig qw(server_var);
use WfDatabase ();
use WfTest;

our @EXPORT = qw(begin_database customers_sql end_database post_actions
    run_actions runner_peak tasks_of write_action);

my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;
my $count = 0;

# Ends the test where the kind's programs are not installed; begins a database otherwise. Options are
# WfDatabase's.
sub begin_database
{
    my ($kind, %option) = @_;
    my @missing = WfDatabase::missing($kind);
    plan(skip_all => "these programs are missing: @missing") if @missing;
    return WfDatabase->start($kind, server_var('t_state') . "/$kind", %option);
}

sub end_database
{
    my ($db) = @_;
    $db->stop;
    remove_tree($db->folder);
    return;
}

# Writes a project whose task "t" has these actions, and gives its id. Options: connectors (the
# databases by name) or plain (what the file says of them), task (its members beside the flows).
sub tasks_of
{
    my ($actions, %option) = @_;
    my $id = sprintf 'sql-%d-%d', $$, ++$count;
    my %connectors = map { ($_ => $option{connectors}{$_}->connector) } keys %{$option{connectors}};
    my $project = {
        id         => $id,
        connectors => $option{plain} // \%connectors,
        tasks      => {t => {%{$option{task} // {}}, flows => [{actions => $actions}]}},
    };
    my $file = server_var('t_state') . "/projects/$id.json";
    open my $out, '>', "$file.new" or die "$file: $!\n";
    print {$out} $JSON->encode($project);
    close $out or die "$file: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return $id;
}

# Posts a run of such a task and gives its pid; options of tasks_of, and json: the body.
sub post_actions
{
    my ($actions, %option) = @_;
    my $json = $option{json} // {};
    return post_run('t', ref $json ? $JSON->encode($json) : $json,
        project => tasks_of($actions, %option));
}

# run_actions(NAME, STATUS, ACTIONS, OPTION => …): posts, waits for the end, tests its status, and
# gives the run. seconds: how long at most.
sub run_actions
{
    my ($name, $status, $actions, %option) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $run = run_end(post_actions($actions, %option), seconds => $option{seconds} // 60);
    is($run->{status}, $status, $name) or diag($JSON->pretty->encode($run));
    return $run;
}

# The one connector "db", and a write into its table customer.
sub write_action
{
    my (%member) = @_;
    return {
        action    => 'write',
        connector => 'db',
        object    => 'customer',
        operation => 'upsert',
        map       => {id => '{{id}}', name => '{{name}}', city => '{{city}}'},
        ($member{operation} // '') eq 'insert' ? () : (key => ['id']),
        %member,
    };
}

sub customers_sql
{
    return 'CREATE TABLE customer (id int PRIMARY KEY, name varchar(100) NOT NULL, city varchar(200))';
}

# The greatest memory that the runner has ever taken, in megabytes.
sub runner_peak
{
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/status" or die "/proc/$pid/status: $!\n";
    my ($kilobytes) = map { /^VmHWM:\s+(\d+)/ ? $1 : () } <$in>;
    return $kilobytes / 1024;
}

1;

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# conf/dbsync_wf.postman_collection.json, run by newman against the test server: every request is sent,
# and every assertion of it holds. WF_NEWMAN is the program; without it one that PATH has is taken.
use strict;
use warnings FATAL => 'all';
use File::Temp ();
use JSON::PP ();
use WfCommand qw(command_env write_file);
use WfConfig qw(server_var);
use WfTest;

my $SECONDS = 180;
my $COLLECTION = 'conf/dbsync_wf.postman_collection.json';

sub read_file
{
    my ($file) = @_;
    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/ = undef;
    return scalar <$in>;
}

my ($newman) = grep { -f && -x } defined $ENV{WF_NEWMAN} ? $ENV{WF_NEWMAN}
    : map {"$_/newman"} split /:/, $ENV{PATH};
if (!defined $newman) {
    die "WF_NEWMAN: there is no program $ENV{WF_NEWMAN}\n" if defined $ENV{WF_NEWMAN};
    plan(skip_all => 'newman is not there; see CONTRIBUTING.md');
}

# The collection as it is written.
my $collection = JSON::PP->new->utf8->decode(read_file($COLLECTION));
like($collection->{info}{schema}, qr{/v2\.1\.0/collection\.json$}, 'the collection is one of version 2.1');
my @requests = map { @{$_->{item}} } @{$collection->{item}};
my %by_name = map { $_->{name} => $_ } @requests;
is(scalar keys %by_name, scalar @requests, 'each request has a name of its own');
for my $request (@requests) {
    my $asserts = grep { /pm\.test\(/ } script($request, 'test');
    ok($asserts, "$request->{name}: asserts something");
    like($request->{request}{url}, qr{^\{\{baseUrl\}\}/}, "$request->{name}: is under the base");
}
my %declared = map { $_->{key} => $_->{value} } @{$collection->{variable}};
my %used = map { $_ => 1 } read_file($COLLECTION) =~ /\{\{(\w+)\}\}/g;
is_deeply([grep { !exists $declared{$_} } sort keys %used], [], 'each variable is declared');
is($declared{password}, '', 'there is no password in it');

sub script
{
    my ($request, $listen) = @_;
    return map { @{$_->{script}{exec}} } grep { $_->{listen} eq $listen } @{$request->{event}};
}

my $folder = File::Temp->newdir;
my $environment = write_file("$folder/environment.json", JSON::PP->new->utf8->encode({
    name => 'the test server',
    values => [
        {key => 'baseUrl', value => 'http://127.0.0.1:' . server_var('port') . '/cw/api/v2'},
        {key => 'user', value => 'alice'}, {key => 'password', value => 'wonderland'},
    ],
}));
my @command = ($newman, 'run', $COLLECTION, '--environment', $environment, '--color', 'off',
    '--timeout', 1000 * $SECONDS, '--reporters', 'cli,json', '--reporter-json-export', "$folder/report.json");
my $pid = fork // die "fork: $!\n";
if ($pid == 0) {
    %ENV = command_env();
    open STDIN, '<', '/dev/null' or die "/dev/null: $!\n";
    open STDOUT, '>', "$folder/said" or die "$folder/said: $!\n";
    open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
    exec 'timeout', $SECONDS, @command or die "timeout: $!\n";
}
waitpid $pid, 0;
is($? >> 8, 0, 'newman is content') or diag(read_file("$folder/said"));

my $run = eval { JSON::PP->new->utf8->decode(read_file("$folder/report.json"))->{run} } // {};
is_deeply([map { $_->{item}{name} } @{$run->{executions}}], [map { $_->{name} } @requests],
    'each request was sent, in its order');
is($run->{stats}{assertions}{total}, scalar(map { grep { /pm\.test\(/ } script($_, 'test') } @requests),
    'each of its assertions was made');
is_deeply([map {"$_->{source}{name}: $_->{error}{message}"} @{$run->{failures}}], [], 'and holds');
note(scalar @requests, " requests, $run->{stats}{assertions}{total} assertions");

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# README's backup, made while runs are posted, and restored as README says into the state directory of
# another server: that one knows every run that was acknowledged before the backup began, as it was.
use strict;
use warnings FATAL => 'all';
use File::Path qw(make_path remove_tree);
use POSIX ();
use WfConfig qw(free_port server_vars write_conf);
use WfServer qw(is_alive);
use WfTest;

plan(skip_all => 'db5.3_hotbackup is not there: install db5.3-util') if !-x '/usr/bin/db5.3_hotbackup';

my %vars = server_vars();
my $state = "$vars{t_logs}/dbsync_wf";
my $folder = "$vars{t_state}/backup";
remove_tree($folder);
make_path("$folder/copy", "$folder/log");

sub command
{
    my (@command) = @_;
    is(system(@command), 0, $command[0]) or BAIL_OUT("cannot go on: $?");
    return;
}

# Posts until there is a file "enough", in a process of its own.
sub start_load
{
    my $load = fork // die "fork: $!\n";
    return $load if $load;
    while (!-e "$folder/enough") {
        eval { post_run('noop'); 1 } or POSIX::_exit(1);
    }
    POSIX::_exit(0);
}

my @before = map { run_end(post_run('echo', qq({"n": $_}))) } 1 .. 50;
my $load = start_load();
for my $round (1 .. 3) {
    remove_tree("$folder/copy");
    mkdir "$folder/copy" or die "$folder/copy: $!\n";
    command('db5.3_hotbackup', '-h', "$state/env", '-d', "$state/data", '-l', "$state/log", '-b',
        "$folder/copy");
}
mkdir "$folder/enough" or die "$folder/enough: $!\n";
waitpid $load, 0;
is($?, 0, 'every post meanwhile was accepted');
command('db5.3_recover', '-c', '-h', "$folder/copy");
is_deeply([map {s{.*/}{}r} glob "$folder/copy/*.db"], [map {s{.*/}{}r} glob "$state/data/*.db"],
    'each table is in it');

# Another server, on the state directory that the backup is put into.
mkdir "$folder/runs", 0700 or die "$folder/runs: $!\n";
make_path("$folder/runs/data", "$folder/runs/log", {mode => 0700});
command('sh', '-c', "mv $folder/copy/*.db $folder/runs/data/ && mv $folder/copy/log.* $folder/runs/log/");
my $port = free_port();
my $httpd = write_conf("$folder/httpd.conf", $port, <<"END");
PidFile "$folder/httpd.pid"
ErrorLog "$folder/error_log"
<IfModule mod_mime.c>
    TypesConfig /dev/null
</IfModule>
ServerName localhost:$vars{port}
DbsyncWfStateDir "$folder/runs"
DbsyncWfProjects "$vars{t_state}/projects"
<Location "/cw/api/v2">
    SetHandler dbsync-wf
    AuthType Basic
    AuthName "DBSync workflows"
    AuthUserFile "$vars{t_state}/users"
    Require valid-user
</Location>
END
my $said = qx($httpd -k start 2>&1);
is($?, 0, 'another httpd starts') or diag($said);
wait_for('the process id', 20, sub { -s "$folder/httpd.pid" });
open my $in, '<', "$folder/httpd.pid" or die "$folder/httpd.pid: $!\n";
my ($parent) = <$in> =~ /(\d+)/;
my $client = WfHttp->new(port => $port, user => 'alice', password => 'wonderland');
my $ended = eval {
    my @restored = map {
        my $pid = $_->{pid};
        wait_for("an answer about $pid", 20, sub { eval { $client->request('GET', "/cw/api/v2/status/$pid") } })
            ->json;
    } @before;
    is_deeply(\@restored, \@before, 'each run is there, as it was');
    1;
};
my $why = $@;
kill 'TERM', $parent;
wait_for('httpd to end', 30, sub { !is_alive($parent) });
ok($ended, 'all of it was seen') or diag($why);

done();

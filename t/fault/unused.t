#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Where the module is loaded and nothing uses it, it costs nothing: no process, no folder; its
# directives alone do not count as use. A graceful restart takes it up, moves it to another state
# directory, and gives it up again.
use strict;
use warnings FATAL => 'all';
use File::Path qw(remove_tree);
use WfConfig qw(free_port server_vars write_conf);
use WfHttp ();
use WfServer qw(children_of is_alive name_of);
use WfTest;

my %vars = server_vars();
my $folder = "$vars{t_state}/unused";
-d $folder or mkdir $folder or die "$folder: $!\n";
my $port = free_port();
my $memory_is_tmpfs = grep {m{^\S+ /dev/shm tmpfs }} mounts();
my $memory = $memory_is_tmpfs ? "/dev/shm/dbsync_wf-test-$$" : "$folder/other";
my $client = WfHttp->new(port => $port, user => 'alice', password => 'wonderland');
my $own = <<"END";
PidFile "$folder/httpd.pid"
ErrorLog "$folder/error_log"
LogLevel info
<IfModule mod_mime.c>
    TypesConfig /dev/null
</IfModule>
DbsyncWfProjects "$vars{t_state}/projects"
DbsyncWfThreads 2
LoadModule status_module "$vars{libexecdir}/mod_status.so"
<Location "/server-status">
    SetHandler server-status
</Location>
END
my $used = <<"END";
<Location "/api/v2">
    SetHandler dbsync-wf
    AuthType Basic
    AuthName "DBSync workflows"
    AuthUserFile "$vars{t_state}/users"
    Require valid-user
</Location>
END

sub mounts
{
    open my $in, '<', '/proc/mounts' or die "/proc/mounts: $!\n";
    return <$in>;
}

# httpd_with(ACTION, FOLDER, LINES): with that state directory.
sub httpd_with
{
    my ($action, $state, $lines) = @_;
    my $httpd = write_conf("$folder/httpd.conf", $port, qq(${own}DbsyncWfStateDir "$state"\n$lines));
    my $said = qx($httpd -k $action 2>&1);
    die "$httpd -k $action: $said\n" if $? != 0;
    return;
}

# The supervisors that httpd's parent has.
sub our_pids
{
    my ($parent) = @_;
    return grep { name_of($_) =~ /^wf-/ } children_of($parent);
}

# Waits until a run is answered by the module, and gives the status.
sub run_answer
{
    return wait_for('an answer to a run', 20, sub {
        my $got = eval {
            $client->request('POST', '/api/v2/projects/600/tasks/noop/run?trigger=API',
                type => 'application/json', body => '{}');
        };
        return $got && $got->status != 404 ? $got->status : undef;
    });
}

sub error_log
{
    open my $in, '<', "$folder/error_log" or die "$folder/error_log: $!\n";
    return join '', <$in>;
}

httpd_with('start', "$folder/runs", '');
wait_for('the process id', 20, sub { -s "$folder/httpd.pid" });
open my $in, '<', "$folder/httpd.pid" or die "$folder/httpd.pid: $!\n";
my ($parent) = <$in> =~ /(\d+)/;
my $ended = eval {
    wait_for('httpd to serve', 20, sub { eval { $client->request('GET', '/')->status } });
    is(scalar(our_pids($parent)), 0, 'loaded and not used: no process');
    ok(!-e "$folder/runs", 'and no state directory');
    my $page = $client->request('GET', '/server-status?auto');
    like($page->body, qr/^IdleWorkers: /m, 'mod_status has its page');
    unlike($page->body, qr/Workflow/, 'and nothing of ours in it');

    httpd_with('graceful', "$folder/runs", $used);
    wait_for('a supervisor', 20, sub { our_pids($parent) == 1 });
    is(run_answer(), 202, 'used after a graceful restart: a run is accepted');

    my ($before) = our_pids($parent);
    httpd_with('graceful', $memory, $used);
    wait_for('another supervisor', 20, sub { !is_alive($before) && our_pids($parent) == 1 });
    is(run_answer(), 202, 'in another state directory: a run is accepted');
    SKIP: {
        skip 'there is no tmpfs here', 1 if !$memory_is_tmpfs;
        like(error_log(), qr/\[dbsync_wf:warn\].* WF0353: the state directory \S+ lies in memory/,
            'one in memory is warned of');
    }

    httpd_with('graceful', $memory, '');
    wait_for('the supervisor to go', 20, sub { our_pids($parent) == 0 });
    pass('not used again: the process goes');
    1;
};
my $why = $@;
kill 'TERM', $parent;
wait_for('httpd to end', 20, sub { !is_alive($parent) });
remove_tree($memory);
ok($ended, 'all of it was seen') or diag($why);

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Where the module is loaded and nothing uses it, it costs nothing: no process, no folder; its
# directives alone do not count as use. A graceful restart takes it up, and gives it up again.
use strict;
use warnings FATAL => 'all';
use IO::Socket::INET ();
use WfConfig qw(server_vars write_conf);
use WfHttp ();
use WfServer qw(children_of is_alive name_of);
use WfTest;

my %vars = server_vars();
my $folder = "$vars{t_state}/unused";
-d $folder or mkdir $folder or die "$folder: $!\n";
my $port = free_port();
my $client = WfHttp->new(port => $port, user => 'alice', password => 'wonderland');
my $own = <<"END";
PidFile "$folder/httpd.pid"
ErrorLog "$folder/error_log"
LogLevel info
<IfModule mod_mime.c>
    TypesConfig /dev/null
</IfModule>
DbsyncWfStateDir "$folder/runs"
DbsyncWfProjects "$vars{t_state}/projects"
DbsyncWfThreads 2
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

sub free_port
{
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "$@\n";
    return $socket->sockport;
}

sub httpd_with
{
    my ($lines, $action) = @_;
    my $httpd = write_conf("$folder/httpd.conf", $port, "$own$lines");
    my $said = qx($httpd -k $action 2>&1);
    die "$httpd -k $action: $said\n" if $? != 0;
    return;
}

# The names of the parent's children that are ours.
sub ours
{
    my ($parent) = @_;
    return grep {/^wf-/} map { name_of($_) } children_of($parent);
}

httpd_with('', 'start');
wait_for('the process id', 20, sub { -s "$folder/httpd.pid" });
open my $in, '<', "$folder/httpd.pid" or die "$folder/httpd.pid: $!\n";
my ($parent) = <$in> =~ /(\d+)/;
my $ended = eval {
    wait_for('httpd to serve', 20, sub { eval { $client->request('GET', '/')->status } });
    is(scalar(ours($parent)), 0, 'loaded and not used: no process');
    ok(!-e "$folder/runs", 'and no state directory');

    httpd_with($used, 'graceful');
    wait_for('a supervisor', 20, sub { ours($parent) == 1 });
    my $answer = wait_for('a run', 20, sub {
        my $got = eval {
            $client->request('POST', '/api/v2/projects/600/tasks/noop/run?trigger=API',
                type => 'application/json', body => '{}');
        };
        return $got && $got->status == 202 ? $got : undef;
    });
    like($answer->json->{pid}, $PID, 'used after a graceful restart: a run is accepted');

    httpd_with('', 'graceful');
    wait_for('the supervisor to go', 20, sub { ours($parent) == 0 });
    pass('not used again: the process goes');
    1;
};
my $why = $@;
kill 'TERM', $parent;
wait_for('httpd to end', 20, sub { !is_alive($parent) });
ok($ended, 'all of it was seen') or diag($why);

done();

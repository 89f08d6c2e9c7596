# SPDX-License-Identifier: Apache-2.0
package WfServer;

# The processes of the test server: which they are, and what may be done to them. For tests that
# restart it or kill parts of it.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use WfConfig qw(server_var);

our @EXPORT_OK = qw(children_of command_of has_waitio httpd is_alive name_of parent_pid pid_of pids_of
    reload);

# httpd's parent process.
sub parent_pid
{
    my $file = server_var('t_pid_file');
    open my $in, '<', $file or return 0;
    return (<$in> // '') =~ /^(\d+)/ ? $1 : 0;
}

# Whether a request that waits for a run holds no thread: under event, since httpd 2.4.63.
sub has_waitio
{
    my $httpd = server_var('httpd');
    my ($minor) = qx($httpd -v) =~ m{Apache/2\.4\.(\d+)} or die "$httpd -v tells no version 2.4\n";
    return $minor >= 63 && server_var('defines') !~ /\bWF_(?:PREFORK|WORKER)\b/;
}

# Whether a process is there and more than a zombie.
sub is_alive
{
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/stat" or return 0;
    my $line = <$in> // return 0;
    return $line !~ /\) Z /;
}

# A process's name, such as wf-keeper; empty where it has gone.
sub name_of
{
    my ($pid) = @_;
    return _text($pid, 'comm') =~ s/\n//r;
}

# Its command line, with spaces; empty where it has gone.
sub command_of
{
    my ($pid) = @_;
    return _text($pid, 'cmdline') =~ tr/\0/ /r;
}

# The living processes of one kind: supervisor, keeper or runner; of the server only whose
# configuration file, the test server's where none is given, is in their command lines.
sub pids_of
{
    my ($kind, $conf) = @_;
    $conf //= server_var('t_conf_file');
    return grep { is_alive($_) && name_of($_) eq "wf-$kind" && index(_text($_, 'cmdline'), $conf) >= 0 }
        map {m{^/proc/(\d+)$}} glob '/proc/[0-9]*';
}

# The one process of a kind; dies where there is none or more than one.
sub pid_of
{
    my ($kind) = @_;
    my @pids = pids_of($kind);
    die "there are ", scalar @pids, " processes wf-$kind: @pids\n" if @pids != 1;
    return $pids[0];
}

# The processes whose parent is that one.
sub children_of
{
    my ($pid) = @_;
    return grep { _text($_, 'stat') =~ /\) \S $pid / } map {m{^/proc/(\d+)$}} glob '/proc/[0-9]*';
}

# graceful, and comes back when httpd has read its configuration: until then it might pass over what it
# is told next.
sub reload
{
    my $before = _generations();
    httpd('graceful');
    my $deadline = time + 30;
    while (_generations() == $before) {
        die "httpd does not take up its configuration\n" if time > $deadline;
        select undef, undef, undef, 0.02;
    }
    return;
}

# How often httpd has begun to serve, by its error log.
sub _generations
{
    my $file = server_var('t_logs') . '/error_log';
    open my $in, '<', $file or die "$file: $!\n";
    return scalar grep {/resuming normal operations/} <$in>;
}

# httpd('graceful'): what `httpd -k` takes, with the test server's configuration. Gives what it said;
# dies where it failed.
sub httpd
{
    my ($action) = @_;
    my $defines = join ' ', map {"-D $_"} split ' ', server_var('defines');
    my $command = join ' ', server_var('httpd'), '-d', server_var('serverroot'), '-f',
        server_var('t_conf_file'), '-D APACHE2 -D APACHE2_4', $defines, '-k', $action;
    my $said = qx($command 2>&1);
    die "$command: $said\n" if $? != 0 || $said =~ /already running/;
    return $said;
}

# A file of /proc/PID; empty where the process has gone.
sub _text
{
    my ($pid, $name) = @_;
    open my $in, '<', "/proc/$pid/$name" or return '';
    local $/ = undef;
    return <$in> // '';
}

1;

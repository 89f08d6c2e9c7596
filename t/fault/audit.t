#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The audit log by a program that rotates it: lines are whole and none is lost, through graceful and
# when the program is killed; and a file that is moved away is begun anew after graceful.
use strict;
use warnings FATAL => 'all';
use POSIX ();
use WfAudit;
use WfConfig qw(server_var);
use WfHttpd;
use WfServer qw(children_of command_of is_alive);
use WfTest;

my $name = 'audit';
my $folder = server_var('t_state') . "/$name";
my ($rotatelogs) = grep { -x } map {"$_/rotatelogs"} '/usr/bin', '/usr/sbin', split /:/, $ENV{PATH};
die "rotatelogs is missing: it is in the package apache2-utils\n" if !$rotatelogs;
# As README.md says: httpd ends the program at graceful, before all that write into it have ended.
my $pipe = qq(DbsyncWfAuditLog "|/usr/bin/env --ignore-signal=TERM $rotatelogs $folder/piped.%s.log 8K"\n);
my $ids = 'LoadModule unique_id_module "' . server_var('libexecdir') . qq(/mod_unique_id.so"\n);
my $httpd = WfHttpd->new($name, lines => $ids . $pipe);
$httpd->start;

# What rotatelogs has written: files by their second, which it adds to where there are two in one.
my $audit = WfAudit->new("$folder/piped.*");

sub post { return $httpd->post('602', 'noop')->status }

# The program of httpd's parent, as it is now.
sub program
{
    my ($found) = grep { is_alive($_) && command_of($_) =~ /rotatelogs/ } children_of($httpd->pid);
    return $found // 0;
}

# Whether a process may write to a descriptor.
sub is_written
{
    my ($pid, $fd) = @_;
    open my $in, '<', "/proc/$pid/fdinfo/$fd" or return 0;
    my ($flags) = join('', <$in>) =~ /^flags:\s*\d*(\d)$/m;
    return ($flags & 3) != 0;
}

# posts(CLIENTS, EACH): so many clients at a time; gives how many runs were accepted.
sub posts
{
    my ($clients, $each, $meanwhile) = @_;
    my @pids = map {
        my $pid = fork // die "fork: $!\n";
        if (!$pid) {
            my $accepted = eval { scalar grep { post() == 202 } 1 .. $each } // 0;
            POSIX::_exit($accepted);
        }
        $pid;
    } 1 .. $clients;
    $meanwhile->() if $meanwhile;
    my $accepted = 0;
    for my $pid (@pids) {
        waitpid $pid, 0;
        $accepted += $? >> 8;
    }
    return $accepted;
}

is(posts(4, 50), 200, 'runs are accepted');
my @lines = $audit->take(200);
is(scalar(grep { $_->{outcome} eq 'started' } @lines), 200, 'each has its line');
is(scalar(keys %{{map { ($_->{requestId} => 1) } @lines}}), 200, 'with an id of its own');

# A process that keeps the pipe's other end would keep the program.
my $its_input = readlink '/proc/' . program() . '/fd/0';
like($its_input, qr/^pipe:/, 'the program reads a pipe');
for my $kind (qw(supervisor keeper runner)) {
    my $pid = $httpd->pid_of($kind);
    my @held = grep { (readlink($_) // '') eq $its_input && is_written($pid, m{(\d+)$}) } glob "/proc/$pid/fd/*";
    is(scalar @held, 0, "$kind does not hold its other end");
}

# graceful, under load.
my $before = program();
is(posts(4, 50, sub { $httpd->control('graceful') }), 200, 'runs are accepted through graceful');
@lines = $audit->take(200);
is(scalar @lines, 200, 'each has its line');
wait_for('the old program to end by itself', 20, sub { !is_alive($before) });

# The program is killed: httpd starts another one on the same pipe.
my $killed = program();
kill 'KILL', $killed or die "kill $killed: $!\n";
wait_for('the next program', 20, sub { my $now = program(); $now && $now != $killed });
is(post(), 202, 'a run is accepted');
is(($audit->take(1))[0]{outcome}, 'started', 'and has its line');
my $last = program();
$httpd->stop;
wait_for('the program to go with httpd', 20, sub { !is_alive($last) });

# A file.
my $file = "$folder/plain.log";
$httpd->configure(qq(DbsyncWfAuditLog "$file"\n));
my $plain = WfAudit->new("$file*");
$httpd->start;
is(post(), 202, 'with a file a run is accepted');
is(($plain->take(1))[0]{outcome}, 'started', 'and has its line');
rename $file, "$file.1" or die "$file: $!\n";
$httpd->control('graceful');
wait_for('a new file', 20, sub { -e $file });
wait_for('a line in it', 20, sub { post(); -s $file });
$httpd->stop;

# What cannot be opened is said, and httpd does not start.
$httpd->configure(qq(DbsyncWfAuditLog "$folder/none/audit.log"\n));
ok(!eval { $httpd->control('start'); 1 }, 'a log that cannot be opened: httpd does not start');
like($@ . $httpd->log, qr/WF0390: the audit log \S+ cannot be opened/, 'and says why');

done();

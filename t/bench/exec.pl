#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Programs that are run end to end, beside bare posix_spawn of the same program and beside CGI; and how
# long after its answer a run's first instruction comes, at half of what was run at most.
#
#   exec.pl ROUNDS
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(sleep time);
use WfBench qw(bench_httpd load median number_of percentile program row state);
use WfConfig qw(server_var);

my ($rounds) = @ARGV;
my $SECONDS = 3;
my $THREADS = 16;
my $RUNS = 2000;
my $stamps = state('bench.stamps');

# The program's id is the run's where it is called "-".
my $project = {tasks => {
    stamp => {flows => [{actions => [{action => 'exec', command => [program('stamp'), $stamps, 'x']}]}]},
    named => {flows => [{actions => [{action => 'exec', command => [program('stamp'), $stamps, '-']}]}]},
}};
my $cgi = server_var('t_state') . '/bench-exec/cgi';
my $libexec = server_var('libexecdir');
my $httpd = bench_httpd('bench-exec', <<"END", {1 => $project});
DbsyncWfThreads $THREADS
LoadModule cgid_module "$libexec/mod_cgid.so"
ScriptSock "$cgi.sock"
<Location "/cgi">
    SetHandler cgi-script
    Options ExecCGI
    AuthType Basic
    AuthName bench
    AuthUserFile "@{[server_var('t_state')]}/bench-exec/users"
    Require valid-user
</Location>
END
symlink program('stamp'), $httpd->folder . '/docs/cgi' or die "cgi: $!\n";
$httpd->start;
my $path = '/cw/api/v2/projects/1/tasks/stamp/run?trigger=API';

# The lines that the program has written: nanoseconds by id.
sub stamped
{
    open my $in, '<', $stamps or return {};
    return {map { reverse split } <$in>};
}

# As fast as they are accepted, until the last one's program has run.
sub end_to_end
{
    unlink $stamps;
    my $begun = time;
    load($httpd->{port}, 'POST', $path, most => $RUNS);
    my $lines = 0;
    while ($lines < $RUNS) {
        die "runs do not end\n" if time - $begun > 120;
        sleep 0.005;
        $lines = -s $stamps ? lines_of($stamps) : 0;
    }
    return $RUNS / (time - $begun);
}

sub lines_of
{
    open my $in, '<', $_[0] or return 0;
    my $lines = () = <$in>;
    return $lines;
}

my (@ours, @bare, @cgi);
for (1 .. $rounds) {
    push @bare, number_of(program('ceiling'), 'spawn', $THREADS, $SECONDS, program('stamp'), "$stamps.bare", 'x');
    push @ours, end_to_end();
    my $begun = time;
    load($httpd->{port}, 'POST', "/cgi?$stamps.cgi", most => $RUNS, connections => $THREADS, after => '-');
    push @cgi, $RUNS / (time - $begun);
}
my $how = "$RUNS runs of a static program, $THREADS threads, $rounds rounds";
row(name => 'exec runs/s end to end / posix_spawn', goal => '>= 0.60', how => $how,
    value => median(map { $ours[$_] / $bare[$_] } 0 .. $#ours),
    rates => {runs => median(@ours), spawn => median(@bare)});
row(name => 'exec runs/s end to end / CGI', goal => '>= 1.5', how => $how,
    value => median(map { $ours[$_] / $cgi[$_] } 0 .. $#ours),
    rates => {runs => median(@ours), cgi => median(@cgi)});

# At half of that rate.
my $rate = int(median(@ours) / 2);
my @after;
for (1 .. $rounds) {
    unlink $stamps;
    my @answers = load($httpd->{port}, 'POST', '/cw/api/v2/projects/1/tasks/named/run?trigger=API',
        rate => $rate, seconds => $SECONDS);
    my $deadline = time + 30;
    while (lines_of($stamps) < @answers) {
        die "runs do not end\n" if time > $deadline;
        sleep 0.01;
    }
    my $first = stamped();
    push @after, map { ($first->{$_->[3]} - $_->[1]) / 1e6 } @answers;
}
row(name => "POST answered -> first instruction, ms, p50 at $rate/s", goal => '< 1.5', value => percentile(50, @after), how => $how);
row(name => "POST answered -> first instruction, ms, p99 at $rate/s", goal => '< 10', value => percentile(99, @after), how => $how);

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The files of the state directory are damaged, while it is stopped and while it serves. Each status is
# then answered as it was or refused (5xx), never 404 and never otherwise; what is not on the damaged
# place is served as far as that can be; the log says what is broken and where to read on.
use strict;
use warnings FATAL => 'all';
use File::Path qw(remove_tree);
use Time::HiRes qw(time);
use WfConfig qw(server_var);
use WfHttpd;
use WfTest;

my $PAGE = 8192;
my $httpd = WfHttpd->new('damaged');
my ($state, $folder) = ($httpd->state_dir, $httpd->folder);
my $client;

# One request over a connection that is kept.
sub look
{
    my ($pid) = @_;
    my $began = time;
    $client //= WfHttp->new(port => $httpd->{port}, user => 'alice', password => 'wonderland', keep => 1);
    my $answer = eval { $client->request('GET', "/cw/api/v2/status/$pid") };
    if (!$answer) {
        $client->close;
        $answer = $client->request('GET', "/cw/api/v2/status/$pid");
    }
    $answer->{seconds} = time - $began;
    return $answer;
}

sub command
{
    my (@command) = @_;
    system(@command) == 0 or die "@command: $?\n";
    return;
}

sub copy_state
{
    my ($from, $to) = @_;
    remove_tree($to);
    command('cp', '-a', $from, $to);
    unlink "$to/env", "$to/keeper.sock";
    return;
}

# Writes bytes over a file's.
sub overwrite
{
    my ($file, $offset, $bytes) = @_;
    open my $out, '+<:raw', $file or die "$file: $!\n";
    seek $out, $offset, 0 or die "$file: $!\n";
    print {$out} $bytes // 'damage' x 20;
    close $out or die "$file: $!\n";
    return;
}

sub overwrite_page
{
    my ($name, $page) = @_;
    overwrite("$state/data/$name", $page * $PAGE + 200);
    return;
}

sub content
{
    my ($file) = @_;
    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/ = undef;
    return scalar <$in>;
}

# The pages of a table that are leaves and hold some bytes.
sub pages_with
{
    my ($name, $bytes) = @_;
    my $all = content("$state/data/$name");
    return grep { index(substr($all, $_ * $PAGE, $PAGE), $bytes) >= 0 } 1 .. length($all) / $PAGE - 1;
}

# The last file of the database's log.
sub log_file
{
    my @files = sort glob "$state/log/log.*";
    return $files[-1];
}

# Where it ends: the file may be longer.
sub log_end
{
    my ($end) = content("$state/log/mark") =~ / 0*(\d+)/;
    return $end;
}

# The pages of a table that are of a type: 5 is a leaf, 7 holds a part of a long value.
sub pages_of_type
{
    my ($name, $type) = @_;
    my $all = content("$state/data/$name");
    return grep { ord(substr($all, $_ * $PAGE + 25, 1)) == $type } 1 .. length($all) / $PAGE - 1;
}

sub binary
{
    my ($pid) = @_;
    return pack 'H*', $pid =~ tr/-//dr;
}

# Starts it on what is there, and holds every status against what it was. Gives the numbers of those
# that were answered and refused.
sub compare
{
    my ($name, %was) = @_;
    my ($answered, $refused, $longest, @wrong) = (0, 0, 0);
    for my $pid (sort keys %was) {
        my $answer = look($pid);
        $longest = $answer->{seconds} if $answer->{seconds} > $longest;
        if ($answer->status == 200) {
            $answered++;
            push @wrong, "$pid changed" if !eq_hash($answer->json, $was{$pid});
        }
        elsif ($answer->status =~ /^50[03]$/ && $answer->header('Content-Type') =~ /problem/) {
            $refused++;
        }
        else {
            push @wrong, "$pid: " . $answer->status;
        }
    }
    is_deeply(\@wrong, [], "$name: $answered statuses are answered as before, $refused are refused, "
        . 'none otherwise') or diag(@wrong[0 .. ($#wrong > 4 ? 4 : $#wrong)]);
    cmp_ok($longest, '<', 5, "$name: none takes long");
    return ($answered, $refused);
}

# A first server makes what is damaged then.
$httpd->start;
my %was;
for my $n (1 .. 120) {
    my $text = 'x' x ($n % 12 ? 150 : 3000);
    $was{$httpd->accepted('600', 'echo', qq({"n": $n, "text": "$text"}))} = 1;
}
%was = map { $_ => $httpd->run_end($_) } keys %was;
$httpd->stop;
my $pristine = "$folder/pristine";
copy_state($state, $pristine);
cmp_ok(scalar pages_of_type('runs.db', 5), '>', 4, 'the runs take several leaves');
cmp_ok(scalar pages_of_type('runs.db', 7), '>', 4, 'and long values have pages of their own');
my @tables = map {s{.*/}{}r} glob "$state/data/*.db";
is(scalar @tables, 11, 'there are the tables');
my $advice = qr/README(?: under|,) "When the state directory is damaged"/;

# [NAME, what is done, whether statuses are answered: all, some or none, whether a run is accepted]
my @cases = (
    map({ my $table = $_; ["$table, its first page", sub { overwrite_page($table, 0) }, 'none', 0] } @tables),
    map({ my $table = $_; ["$table, its root", sub { overwrite_page($table, 1) }, 'none', 0] }
        qw(active.db counters.db runners.db)),
    # Nobody can tell what a task's API configuration allows.
    ['configurations.db, its root', sub { overwrite_page('configurations.db', 1) }, 'all', 0],
    map({ my $table = $_->[0];
        ["$table, a page in its middle", sub { overwrite_page($table, int((-s "$state/data/$table") / $PAGE / 2)) },
            $_->[1], 1] } ['runs.db', 'some'], ['payloads.db', 'all']),
    map({ my $table = $_; ["$table missing", sub { unlink "$state/data/$table" }, 'none', 0] } @tables),
    ['a table cut short', sub { truncate "$state/data/runs.db", 5 * $PAGE }, 'some', undef],
    ['the log missing', sub { unlink glob "$state/log/*" }, 'none', 0],
    ['the log, its beginning', sub { overwrite(log_file(), 0) }, 'none', 0],
    ['the log, its middle', sub { overwrite(log_file(), int(log_end() / 2)) }, 'none', 0],
    ['the log, its end', sub { overwrite(log_file(), log_end() - 60, 'damage') }, 'none', 0],
    ['the log cut short', sub { truncate log_file(), log_end() - 60 }, 'none', 0],
    map({ my ($what, $type, $accepts) = @{$_};
        ["$what lost (zeros)", sub {
            my @pages = pages_of_type('runs.db', $type);
            overwrite("$state/data/runs.db", $pages[@pages / 2] * $PAGE, "\0" x $PAGE);
        }, 'some', $accepts] } ['a leaf', 5, 1], ['a part of a value', 7, 1]),
);
for my $case (@cases) {
    my ($name, $damage, $expected, $accepts) = @{$case};
    copy_state($pristine, $state);
    $damage->();
    my $log = $httpd->log_from_here;
    $httpd->start;
    my ($answered, $refused) = compare($name, %was);
    my $got = $answered == 0 ? 'none' : $refused == 0 ? 'all' : 'some';
    is($got, $expected, "$name: as many as can be") if defined $expected;
    my ($open, $damaged) = map { $httpd->api('GET', '/metrics')->body =~ /^dbsync_wf_store_$_ (\d+)$/m }
        'open', 'damaged_calls_total';
    is($open, $got eq 'none' ? 0 : 1, "$name: the figures say whether the store is open");
    cmp_ok($damaged // 0, '>=', $got eq 'none' ? 0 : $refused, "$name: and how much was refused");
    my $answer = $httpd->post('602', 'noop');
    if ($answer->status == 202) {
        is($httpd->run_end($answer->json->{pid})->{status}, 'completed', "$name: a run is executed");
    }
    is($answer->status == 202 ? 1 : 0, $accepts, "$name: a run is accepted or not") if defined $accepts;
    my @lines = grep {/$advice/} $log->lines;
    cmp_ok(scalar @lines, '>=', 1, "$name: the log says where to read on") if $got ne 'all';
    my @ended = grep {/WF0164: /} $log->lines;
    is(scalar @ended, 0, "$name: no process died of it");
    $httpd->stop;
}

# [STATE, NAME]: starts it on what is in STATE, damaged by the code, and gives the log from there.
sub start_on
{
    my ($from, $damage) = @_;
    copy_state($from, $state);
    $damage->() if $damage;
    my $log = $httpd->log_from_here;
    $httpd->start;
    return $log;
}

# What a crash leaves: nothing is in the tables yet, all of it in the log.
start_on($pristine);
my %later = map { $_ => $httpd->run_end($_) } map { $httpd->accepted('602', 'noop') } 1 .. 30;
my $keeper = $httpd->pid_of('keeper');
kill 'STOP', $keeper or die "kill $keeper: $!\n";
my $crashed = "$folder/crashed";
copy_state($state, $crashed);
kill 'CONT', $keeper or die "kill $keeper: $!\n";
$httpd->stop;
start_on($crashed);
my @counts = compare('after a crash', %was, %later);
is($counts[1], 0, 'after a crash everything is recovered');
$httpd->stop;
my $log = start_on($crashed, sub { overwrite(log_file(), log_end() - 3000) });
@counts = compare('after a crash, with a damaged log', %was, %later);
is($counts[0], 0, 'nothing is answered where something is lost');
is(scalar grep({/WF0129: .*$advice/} $log->lines) > 0, 1, 'and the log says so');
$httpd->stop;

# A page is damaged under a keeper that serves: it has it in its cache. The next one has not.
$log = start_on($pristine);
@counts = compare('before', %was);
my @leaves = pages_of_type('runs.db', 5);
overwrite_page('runs.db', $leaves[@leaves / 2]);
@counts = compare('damaged while it serves', %was);
is($counts[1], 0, 'what is in memory is served from there');
$keeper = $httpd->pid_of('keeper');
kill 'KILL', $keeper or die "kill $keeper: $!\n";
@counts = compare('and by the next keeper', %was);
cmp_ok($counts[1], '>', 0, 'which finds the damage');
is_problem($httpd->api('GET', '/runs?limit=500'), 500, 'internal-error',
    'a list that would need what is damaged is refused', qr/damaged/);
is_problem($httpd->api('GET', '/runs?limit=500&project=600'), 500, 'internal-error',
    'also where it finds its runs otherwise', qr/damaged/);
my $newest = $httpd->run_get($httpd->accepted('602', 'noop'));
is($httpd->api('GET', '/runs?limit=1')->json->{runs}[0]{pid}, $newest->{pid}, 'another one is not');
$keeper = $httpd->pid_of('keeper');
@counts = compare('again', %was) for 1 .. 5;
is($httpd->pid_of('keeper'), $keeper, 'and lives with it');
my @said = grep {/\[dbsync_wf:error\]/} $log->lines;
cmp_ok(scalar @said, '<', 10, scalar(@said) . ' lines speak of it');
$httpd->stop;

# Runs that wait and cannot be read: one whose body, one whose record is damaged. They do not stand in
# the way of those behind them.
start_on($pristine);
my ($first) = map { $httpd->accepted('600', 'one') } 1;
wait_for('the first one to run', 20, sub { $httpd->run_get($first)->{status} eq 'running' });
my $text = 'DAMAGED-BODY-' x 2000;
my $body = $httpd->accepted('600', 'one', qq("$text"));
$httpd->accepted('602', 'noop') for 1 .. 80;
my $record = $httpd->accepted('600', 'one');
my @neighbours = map { $httpd->accepted('602', 'noop') } 1 .. 80;
my $last = $httpd->accepted('600', 'one');
$httpd->run_end($neighbours[-1]);
$httpd->stop;
my ($body_page) = pages_with('payloads.db', 'DAMAGED-BODY-' x 20);
overwrite_page('payloads.db', $body_page);
# A page may hold it still that has handed it to another.
overwrite_page('runs.db', $_) for pages_with('runs.db', binary($record));
$log = $httpd->log_from_here;
$httpd->start;
wait_for('the last one to run', 30, sub { $httpd->run_get($last)->{status} eq 'running' });
pass('what is behind damaged runs is executed');
my $run = $httpd->run_get($body);
is("$run->{status}, $run->{error}{type}", 'error, internal-error', 'one without its body ends as an error');
is_problem($httpd->api('GET', "/status/$record"), 500, 'internal-error', 'one without its record is refused',
    qr/damaged/);
is_problem($httpd->api('POST', "/interrupt/$record"), 500, 'internal-error', 'and cannot be interrupted',
    qr/damaged/);
is(scalar grep({/WF0123: run $record: its record is damaged/} $log->lines), 1, 'the log names it');
is($httpd->api('POST', "/interrupt/$last")->status, 202, 'the last one is interrupted');
is($httpd->run_end($last)->{status}, 'interrupted', 'and ends so');
$httpd->stop;

# README: what can be read is taken out of damaged tables, where there is no backup.
SKIP: {
    skip 'db5.3_dump is not there: install db5.3-util', 5 if !-x '/usr/bin/db5.3_dump';
    copy_state($pristine, $state);
    @leaves = pages_of_type('runs.db', 5);
    overwrite_page('runs.db', $leaves[@leaves / 2]);
    overwrite(log_file(), int(log_end() / 2));
    isnt(system("db5.3_verify -q -o '$state/data/runs.db' >/dev/null 2>&1"), 0, 'db5.3_verify finds damage');
    is(system("db5.3_verify -q -o '$state/data/payloads.db'"), 0, 'and none where there is none');
    my ($commands) = content('README.md') =~ /\n((?:    [^\n]*\n)*    for t in [^\n]*\n(?:    [^\n]*\n)*)/
        or die "README has no such commands\n";
    open my $out, '>', "$folder/salvage" or die "$folder/salvage: $!\n";
    print {$out} "set -e\ns='$state'\n", $commands;
    close $out or die "$folder/salvage: $!\n";
    is(system("sh '$folder/salvage' >'$folder/salvage.log' 2>&1"), 0, 'the commands of README go through')
        or diag(content("$folder/salvage.log"));
    $httpd->start;
    my $answer = $httpd->post('602', 'noop');
    is($answer->status, 202, 'and it serves again');
    my ($same, $gone, $otherwise) = (0, 0, 0);
    for my $pid (keys %was) {
        my $got = look($pid);
        my $as_before = $got->status == 200 && eq_hash($got->json, $was{$pid});
        $as_before ? $same++ : $got->status == 200 ? $otherwise++ : $gone++;
    }
    is($otherwise, 0, "$same runs are as they were, $gone are gone, and none is another");
    cmp_ok($same, '>', 90, 'most of them are there');
    $httpd->stop;
}

# Tables of a version that made them without checksums are read and written as they are.
SKIP: {
    skip 'db5.3_dump is not there: install db5.3-util', 1 if !-x '/usr/bin/db5.3_dump';
    copy_state($pristine, $state);
    command('sh', '-c', "cd '$state/data' && for t in *.db; do db5.3_dump \$t | grep -v '^chksum=1' | "
        . 'db5.3_load $t.new && mv $t.new $t; done && rm ../log/*');
    $log = $httpd->log_from_here;
    $httpd->start;
    @counts = compare('without checksums', %was);
    is($counts[1], 0, 'they are read');
    is($httpd->run_end($httpd->accepted('602', 'noop'))->{status}, 'completed', 'and written');
    is(scalar grep({/WF0104: the table \S+ has no checksums/} $log->lines), scalar @tables, 'and the log says so');
    $httpd->stop;
}

# Makes the state that of a version that had not all of the tables yet: without those, and with the
# counter of them changed by a program of sed.
sub make_older
{
    my ($change, @tables) = @_;
    copy_state($pristine, $state);
    command('sh', '-c', "cd '$state/data' && rm @tables && for t in *.db; do db5.3_dump -p \$t | "
        . "sed '$change' | db5.3_load -c chksum=1 \$t.new && mv \$t.new \$t; done && rm ../log/*");
    return;
}

# A state directory of a version that had no tables of configurations and callbacks, or of output, or of
# idempotency keys either, gets them.
SKIP: {
    skip 'db5.3_dump is not there: install db5.3-util', 1 if !-x '/usr/bin/db5.3_dump';
    my @newest = qw(configurations.db callbacks.db);
    make_older('/^ later-tables$/{n;s/04$/02/}', @newest);
    $httpd->start;
    @counts = compare('without configurations', %was);
    is($counts[1], 0, 'its runs are there');
    is($httpd->run_end($httpd->accepted('602', 'noop'))->{status}, 'completed', 'others are executed');
    is_deeply([grep { !-e "$state/data/$_" } @newest], [], 'and there are tables for them');
    $httpd->stop;

    make_older('/^ later-tables$/{n;s/04$/01/}', 'output.db', @newest);
    $httpd->start;
    @counts = compare('without output', %was);
    is($counts[1], 0, 'its runs are there');
    my $pid = $httpd->accepted('602', 'noop');
    is($httpd->run_end($pid)->{status}, 'completed', 'others are executed');
    ok(-e "$state/data/output.db", 'and there is a table for what they put out');
    $httpd->stop;

    make_older('/^ later-tables$/,+1d', 'output.db', 'idempotency.db', @newest);
    $httpd->start;
    @counts = compare('without keys', %was);
    is($counts[1], 0, 'its runs are there');
    my @post = ('POST', '/projects/602/tasks/noop/run?trigger=API', json => '{}',
        headers => {'Idempotency-Key' => 'k'});
    my @pids = map { $httpd->api(@post)->json->{pid} } 1 .. 2;
    is($pids[1], $pids[0], 'and keys are kept');
    ok(-e "$state/data/idempotency.db", 'in a table');
    $httpd->stop;
}

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# How many instructions a status, a run's POST and a run's life take, in each process of ours. No clock
# is in it: what takes more of them than the file `instructions` beside this one says has become slower.
#
#   scripts/check instructions            # this test alone
#   scripts/check instructions --show     # and which functions they go to
#   scripts/check instructions --renew    # writes the file anew
#
# The requests come one after the other on one connection, so that the same is done for each. They are
# counted in windows of N, 2N, 3N and 4N, and what each has more than the one before is what N requests
# take: whatever is done once a window, and was done before, is in none of them. The least of these three
# counts. They are not quite the same: a process finds its answer there or has to wait for it, and the
# heap grows a block where it lies or copies it.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Test::More;
use WfCallgrind qw(cost difference);
use WfFigures ();
use WfHttp ();
use WfHttpd ();

my $N = 60;
my $SAME = 2; # per cent by which the two least counts of the same may differ
my $BODY = '{"name": "John Doe", "address": {"lineOne": "123 Main Street", "city": "Nashville", "state": "TN"}}';
my %PROJECT = (
    id    => '569',
    tasks => {
        # One run of it waits for ever, and all others for that one.
        held  => {concurrency => 1, flows => [{actions => [{action => 'wait', seconds => 3600}]}]},
        short => {flows => [{actions => [{action => 'variable', set => {city => '{{address/city}}'}}]}]},
        # The runner comes to wf_cancel_sleep.
        pause => {flows => [{actions => [{action => 'wait', seconds => 0.001}]}]},
    },
);

# Every hook of mod_dbsync_wf.c but the handler that a request passes which is answered 2xx; of the
# look-up too by which a status asks httpd what its user may do.
my @HOOKS = qw(wf_problem_post_read wf_handler_map wf_cors_header_parser wf_audit_log);
# What the keeper does with what has arrived.
my @TURN = qw(wf_keeper_do_batch wf_keeper_next wf_keeper_answer_all);

# A measure: its name, of which requests, in which process, and the functions whose instructions it is,
# with all that they call (httpd has read a request before it comes to ap_process_async_request); but
# without Berkeley DB's splitting of a full page, which takes more than a put does and falls into one
# window or into another.
my $SPLIT = '__bam_split';
my @MEASURES = (
    (map {
        my $kind = $_;
        (["$kind request", $kind, 'httpd', 'ap_process_async_request'],
            ["$kind handler", $kind, 'httpd', 'wf_handler'], ["$kind hooks", $kind, 'httpd', @HOOKS],
            ["$kind keeper", $kind, 'keeper', @TURN])
    } qw(status-ended status-queued run)),
    ['life runner', 'life', 'runner', qw(wf_client_claim wf_held_add wf_held_execute)],
    ['life keeper', 'life', 'keeper', qw(do_create wf_claims_serve do_finish wf_state_commit)],
);

# What is called once for each request, no more and no less.
my @ONCE = (
    (map { ([$_, 'httpd', 'wf_handler'], [$_, 'httpd', 'wf_authz_may_run'], [$_, 'keeper', 'do_get']) }
        qw(status-ended status-queued)),
    ['run', 'httpd', 'wf_handler'], ['run', 'keeper', 'do_create'],
    ['life', 'keeper', 'do_create'], ['life', 'keeper', 'do_finish'],
    ['life', 'runner', 'wf_held_execute'],
);

my ($httpd, $client, $counts, %pid, %passes);

# What is counted, by its kind.
my %REQUESTS = (
    'status-ended'  => sub { is_status($pid{ended}, 'completed') },
    'status-queued' => sub { is_status($pid{queued}, 'submitted') },
    'run'           => sub { post('held') },
    'life'          => sub { live('short') },
);

sub write_project
{
    my ($folder) = @_;
    mkdir "$folder/$_" or die "$folder/$_: $!\n" for qw(projects counts);
    open my $out, '>', "$folder/projects/$PROJECT{id}.json" or die "$folder/projects: $!\n";
    print {$out} JSON::PP->new->encode(\%PROJECT);
    close $out or die "$folder/projects: $!\n";
    return;
}

# An httpd of one child with few threads, which share one heap, with all its processes under callgrind.
sub start
{
    $httpd = WfHttpd->new('instructions', env => {
        LD_BIND_NOW      => 1,
        MALLOC_ARENA_MAX => 1,
        LD_PRELOAD => $ENV{WF_PIDFD_PROXY} // die "WF_PIDFD_PROXY is not set, as scripts/check does it\n",
    });
    my $folder = $httpd->folder;
    write_project($folder);
    $counts = WfCallgrind->new("$folder/counts", httpd => 'wf_endpoint_runs', keeper => 'wf_state_list',
        runner => 'wf_cancel_sleep');
    $httpd->{under} = join ' ', $counts->command;
    $httpd->configure(<<"END");
StartServers 1
ServerLimit 1
ThreadsPerChild 4
MaxRequestWorkers 4
MinSpareThreads 1
MaxSpareThreads 4
MaxKeepAliveRequests 0
KeepAliveTimeout 300
DbsyncWfQueueLimit 0
DbsyncWfProjects "$folder/projects"
END
    $httpd->start;
    $client = WfHttp->new(port => $httpd->{port}, user => 'alice', password => 'wonderland', keep => 1);
    return;
}

sub ask
{
    my ($status, $method, $path, %option) = @_;
    my $answer = $client->request($method, "/cw/api/v2$path", %option);
    $answer->status == $status or die "$method $path: ", $answer->status, ' ', $answer->body, "\n";
    return $answer->json;
}

sub post
{
    my ($task) = @_;
    return ask(202, 'POST', "/projects/$PROJECT{id}/tasks/$task/run?trigger=API", body => $BODY,
        type => 'application/json')->{pid};
}

sub is_status
{
    my ($pid, $expected, $query) = @_;
    my $run = ask(200, 'GET', "/status/$pid" . ($query // ''));
    $run->{status} eq $expected or die "run $pid is $run->{status}\n";
    return $pid;
}

sub live { return is_status(post($_[0]), 'completed', '?wait=20') }

# The counts of so many requests of a kind, by process; the runner's where it has to do with them.
sub window
{
    my ($kind, $count) = @_;
    $REQUESTS{$kind}->() for 1 .. $count;
    live('pause') if $kind eq 'life';
    ask(200, 'GET', '/runs?limit=1');
    return $counts->take;
}

# The counts of one request of a kind, three times, by process.
sub passes
{
    my ($kind) = @_;
    my @windows = map { window($kind, $_ * $N) } 0.1, 1, 2, 3, 4;
    return map {
        my ($more, $fewer) = @windows[$_ + 1, $_];
        +{map { $_ => difference($more->{$_}, $fewer->{$_}, $N) } keys %{$more}}
    } 1, 2, 3;
}

sub sum
{
    my ($costs, @functions) = @_;
    my $sum = -(cost($costs, $SPLIT))[0];
    $sum += (cost($costs, $_))[0] for @functions;
    return sprintf '%.0f', $sum;
}

# The functions of ours that take most, for whoever wants to know.
sub show
{
    my ($kind, $process) = @_;
    my $costs = $passes{$kind}[0]{$process};
    my @names = grep {/^(?:wf_|do_)/} sort { $costs->{$b}[0] <=> $costs->{$a}[0] } keys %{$costs};
    diag("$kind, $process:");
    diag(map { sprintf "%8.0f instructions in %6.2f calls of %s\n", @{$costs->{$_}}, $_ } @names[0 .. 29]);
    return;
}

# What has become faster is no mistake, but could be lost again unseen.
sub note_gain
{
    my ($name, $is, $least) = @_;
    diag("$name: $is are fewer than the $least that count as the same: have",
        " scripts/check instructions --renew write down the gain") if $is < $least;
    return;
}

start();
live('short') for 1 .. 10;
my $held = post('held');
%pid = (ended => live('short'), queued => post('held'));
%passes = map { $_ => [passes($_)] } sort keys %REQUESTS;
ask(202, 'POST', "/interrupt/$held");
$httpd->stop;

# What holds wherever it is built.
for (@ONCE) {
    my ($kind, $process, $function) = @{$_};
    my @calls = map { (cost($_->{$process}, $function))[1] } @{$passes{$kind}};
    is("@calls", '1 1 1', "$kind: $process calls $function once");
}
my %found;
for (@MEASURES) {
    my ($name, $kind, $process, @functions) = @{$_};
    my $costs = $passes{$kind}[0]{$process};
    is(join(' ', grep { !(cost($costs, $_))[1] } @functions), '', "$name: no function of it is missing");
    my @counts = sort { $a <=> $b } map { sum($_->{$process}, @functions) } @{$passes{$kind}};
    cmp_ok($counts[1], '<=', (1 + $SAME / 100) * $counts[0], "$name: again and again the same (@counts)");
    $found{$name} = $counts[0];
}
for my $kind (qw(status-ended status-queued run)) {
    cmp_ok($found{"$kind handler"}, '<', 0.85 * $found{"$kind request"}, "$kind: httpd has its part of it, too");
}
cmp_ok($found{'run keeper'}, '<', 10 * $found{'status-ended keeper'}, 'a create takes less than ten gets');

# What holds of one build.
my $option = $ARGV[0] // '';
my $figures = WfFigures->new('t/perf/instructions');
if ($option eq '--renew') {
    $figures->renew(map { [$_->[0], $found{$_->[0]}] } @MEASURES);
}
if ($option eq '--show') {
    my %shown;
    show(@{$_}[1, 2]) for grep { !$shown{"$_->[1] $_->[2]"}++ } @MEASURES;
}
SKIP: {
    my $other = $figures->other_build;
    diag("no count is compared: $other") if $other;
    skip $other, scalar @MEASURES if $other;
    for (@MEASURES) {
        my ($name, $kind, $process) = @{$_};
        my ($is, $least, $most) = ($found{$name}, $figures->bounds($name));
        cmp_ok($is, '<=', $most, "$name: $is instructions") or show($kind, $process);
        note_gain($name, $is, $least);
    }
}

done_testing();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The exec action: the program's arguments, environment and input are exactly what is promised, and
# its output, exit code and signal come back.
use strict;
use warnings FATAL => 'all';
use WfTest;

# Output.
is(run_ends_as('text', 'completed', 'text')->{result}, "two\nlines\n", 'text becomes a string');
my $pid = run_ends_as('JSON', 'completed', 'json')->{pid};
like(api('GET', "/status/$pid")->body,
    qr/"result": ?\{"n": 123456789012345678901234567890, "n": \[1, null\]\}/,
    'JSON becomes the result as it is');
is(run_ends_as('silence', 'completed', 'silent')->{result} // '', '', 'no output, no text');
is(run_ends_as('bytes', 'completed', 'bytes')->{result}, "a\x{fffd}b\0c",
    'output that is not UTF-8 becomes valid text');
is(run_ends_as('a program that does not read', 'completed', 'closed', '"' . 'x' x 500_000 . '"')->{result},
    "done\n", 'input that nobody reads does no harm');

my $run = run_ends_as('more than is kept', 'completed', 'long-output');
cmp_ok(length $run->{result}, '<=', 1 << 20, 'the result is capped');
cmp_ok(length $run->{result}, '>', 1 << 19, 'at about a megabyte');
like($run->{result}, qr/^(?:y\n)+y?$/, 'it is the beginning of the output');
ok($run->{resultCut}, 'and marked as cut');
my $action = $run->{actions}[0];
cmp_ok(length $action->{stdout}, '<=', 8192, 'stdout in the actions is capped');
cmp_ok(length $action->{stderr}, '<=', 8192, 'and stderr');

# Failures. What comes after the failing action is not executed.
$run = run_ends_as('an exit code', 'error', 'code');
is($run->{error}{type}, 'exit-code', 'its type');
like($run->{error}{detail}, qr/\b3\b/, 'the detail has the code');
is(scalar @{$run->{actions}}, 1, 'the next action was not begun');
is($run->{actions}[0]{exitCode}, 3, 'the action has the code');
is($run->{actions}[0]{stdout}, "seen\n", 'and what the program said');
is($run->{actions}[0]{stderr}, "complaint\n", 'and complained of');

$run = run_ends_as('a signal', 'error', 'signal');
is($run->{error}{type}, 'signal', 'its type');
is($run->{actions}[0]{signal}, 'SIGKILL', 'the action has the signal');

$run = run_ends_as('a program that is not there', 'error', 'spawn');
is($run->{error}{type}, 'spawn-failed', 'its type');
like($run->{error}{detail}, qr/no-such-program/, 'the detail names it');
unlike($run->{error}{detail}, qr{/}, 'without its path');

# What a program starts with.
$run = run_ends_as('the environment', 'completed', 'environment');
my %environment = map { split /=/, $_, 2 } split /\n/, $run->{result};
is($environment{DBSYNC_WF_PID}, $run->{pid}, 'DBSYNC_WF_PID');
is($environment{DBSYNC_WF_PROJECT}, '600', 'DBSYNC_WF_PROJECT');
is($environment{DBSYNC_WF_TASK}, 'environment', 'DBSYNC_WF_TASK');
like($environment{DBSYNC_WF_FENCE}, qr/^[1-9]\d*$/, 'DBSYNC_WF_FENCE');
is_deeply([sort keys %environment],
    [qw(DBSYNC_WF_FENCE DBSYNC_WF_PID DBSYNC_WF_PROJECT DBSYNC_WF_TASK LANG PATH)],
    'PATH and LANG beside them, and nothing of the server\'s own');
is(run_ends_as('a folder, an environment and no input', 'completed', 'configured',
    '{"address": {"city": "Nashville; $(id)"}}')->{result}, "/usr\nNashville; \$(id)\nC\n0\n",
    'as the project file says');

is(run_ends_as('the folder', 'completed', 'folder')->{result}, "/\n", 'it runs in /');
# ls itself opens one: the folder it reads.
is(run_ends_as('the descriptors', 'completed', 'descriptors')->{result}, "0\n1\n2\n3\n",
    'no descriptor but stdin, stdout and stderr');
my $signals = run_ends_as('the signals', 'completed', 'signals')->{result};
like($signals, qr/^SigBlk:\s*0+$/m, 'no signal is blocked');
like($signals, qr/^SigIgn:\s*0+$/m, 'and none ignored');

# Nothing is a shell's: one argument whatever it holds.
for my $text ('$(id)', '`id`', '; exit 7', '"\'', "a\nb", '-n --help', '*', '  ', "\x{20ac}") {
    my $json = JSON::PP->new->ascii->allow_nonref->encode({text => $text});
    is(run_ends_as("an argument of $json", 'completed', 'shell', $json)->{result}, $text,
        'arrives as it is');
}

# Each fence is greater than those before it.
my @fences = map { run_ends_as('a fence', 'completed', 'environment')->{result} =~ /FENCE=(\d+)/ }
    1 .. 3;
ok($fences[0] < $fences[1] && $fences[1] < $fences[2], "fences grow: @fences");

# Flows: in order, the disabled one left out; the last action's result is the run's.
$run = run_ends_as('several flows', 'completed', 'flows');
is($run->{result}, 'three', 'the result is the last action\'s');
is_deeply([map { $_->{name} } @{$run->{actions}}], ['first of first', 'second of first', 'last'],
    'the actions, in order');
is_deeply([@{$run->{progress}}{qw(done total)}], [3, 3], 'the progress');

my $file = state_file('midway');
$run = run_ends_as('a failure midway', 'error', 'fails-midway', '{"file": "midway"}');
ok(!-e $file, 'no later flow is executed');
is_deeply([@{$run->{progress}}{qw(done total)}], [1, 3], 'the progress says how far it came');

# What a program leaves behind does not outlive the run.
$run = run_ends_as('a process left behind', 'completed', 'leaves');
my ($left) = $run->{result} =~ /(\d+)/;
ok(!-e "/proc/$left", "process $left is gone when the run has ended");

done();

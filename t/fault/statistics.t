#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /statistics when the keeper is killed: the next one knows how runs ended, each once, and goes on
# counting. Of a project of its own: it need not know all runs of the tests before this.
use strict;
use warnings FATAL => 'all';
use List::Util qw(sum0);
use WfConfig qw(server_var);
use WfServer qw(is_alive pid_of);
use WfTest;

my $LONG = 20;    # seconds that nothing here may take
my $file = server_var('t_state') . '/projects/730.json';

# "completed error interrupted", and how many durations there are.
sub ends
{
    my $answer = api('GET', '/statistics?project=730&hours=48');
    die "statistics: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    my $statistics = $answer->json;
    return join ' ', map({ my $kind = $_; sum0(map { $_->{$kind} } @{$statistics->{hours}}) }
        qw(completed error interrupted)), sum0(map { $_->{runs} } @{$statistics->{durations}});
}

open my $out, '>', $file or die "$file: $!\n";
print {$out} '{"id": "730", "tasks": {',
    '"ok": {"flows": [{"actions": [{"action": "debug", "message": "x"}]}]},',
    '"bad": {"flows": [{"actions": [{"action": "exec", "command": ["false"]}]}]},',
    '"long": {"flows": [{"actions": [{"action": "wait", "seconds": 300}]}]}}}';
close $out or die "$file: $!\n";

run_ends_as('a run', 'completed', 'ok', '{}', project => '730') for 1 .. 3;
run_ends_as('one that fails', 'error', 'bad', '{}', project => '730');
my $interrupted = post_run('long', '{}', project => '730');
my $lasting = post_run('long', '{}', project => '730');
api('POST', "/interrupt/$interrupted");
run_end($interrupted);
is(ends(), '3 1 1 4', 'how they ended');
for my $round (1 .. 2) {
    my $keeper = pid_of('keeper');
    kill 'KILL', $keeper or die "kill $keeper: $!\n";
    wait_for("the end of $keeper", 10, sub { !is_alive($keeper) });
    wait_for('what was', $LONG, sub { ends() eq '3 1 1 4' });
    pass("keeper $round knows how runs ended");
}
api('POST', "/interrupt/$lasting");
run_end($lasting);
run_ends_as('another', 'completed', 'ok', '{}', project => '730');
is(ends(), '4 1 2 5', 'it goes on counting, also what began before');
unlink $file;

done(qr/WF0164: wf-keeper/);

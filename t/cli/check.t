#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# dbsync-wf check: good and broken project files, its exit codes, and what it says. WF_CHECK names the
# built program, WF_COMMAND the script where it is installed; it then finds the program by itself.
use strict;
use warnings FATAL => 'all';
use File::Spec ();
use File::Temp ();
use Test::More;

my $command = $ENV{WF_COMMAND} // 'scripts/dbsync-wf';

# check(ARGUMENT, …): exit code, and both streams' text.
sub check
{
    my (@arguments) = @_;
    my $said = qx($command check @{[map {"'$_'"} @arguments]} 2>&1);
    return ($? >> 8, $said);
}

sub write_file
{
    my ($file, $text) = @_;
    open my $out, '>', $file or die "$file: $!\n";
    print {$out} $text;
    close $out or die "$file: $!\n";
    return;
}

my ($code, $said) = check('conf/projects');
is($code, 0, 'the examples are good');
like($said, qr/^569\.json: good \(\d+ tasks\)$/m, 'each is named');

my $folder = File::Temp->newdir;
($code, $said) = check($folder);
is($code, 2, 'a folder without project files');
like($said, qr/there is no \{projectId\}\.json in it/, 'is said to be one');

write_file("$folder/a.json", '{"id": "a", "tasks": {"1": {"flows": [{"actions": [{"action": "wait", "seconds": 1}]}]}}}');
write_file("$folder/b.json", '{"id": "b", "tasks": {"1": {"flows": [{"actions": [{"action": "wait", "seconds": -1}]}]}}}');
write_file("$folder/c.json", '{"id": "c", "password": "geheim",');
write_file("$folder/note.txt", 'no project');
($code, $said) = check($folder);
is($code, 1, 'one that is broken');
is($said, <<'END', 'each file has its line');
a.json: good (1 task)
b.json: /tasks/1/flows/0/actions/0/seconds: must be a number from 0 to 604800
c.json: line 1, column 33: string or '}' expected near end of file
END

($code, $said) = check($folder, 'a');
is($code, 0, 'one project alone');
($code, $said) = check($folder, 'none');
is($code, 1, 'one that is not there');
is($said, "none.json: is not there\n", 'is said to be missing');
($code, $said) = check("$folder/none");
is($code, 2, 'a folder that is not there');
like($said, qr{/none: No such file or directory}, 'is said to be missing');
is(system("$command >/dev/null 2>&1") >> 8, 2, 'no command: usage');
like(scalar qx($command --help), qr/^usage: .*^Exit codes: /ms, 'help');
like(scalar qx(cd / && HOME=/ XDG_CONFIG_HOME= DBSYNC_WF_URL= @{[File::Spec->rel2abs($command)]} runs 2>&1),
    qr/^dbsync-wf: where is the API\?/, 'the commands over the API are there, from any folder');

done_testing();

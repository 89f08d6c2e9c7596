#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A project file that changes on disk is taken up without a restart; a broken version leaves the last
# good one in force and says so in the error log; a file that goes takes the project with it.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(server_var);
use WfTest;

# Each process of httpd keeps the last good version that it has seen: one connection, one process.
my $client = client(keep => 1);
my $file = server_var('t_state') . '/projects/700.json';
my $run = '/projects/700/tasks/say/run?trigger=API';

# Puts a version in its place at once, as one should.
sub install
{
    my ($text) = @_;
    open my $out, '>', "$file.new" or die "$file.new: $!\n";
    print {$out} $text;
    close $out or die "$file.new: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

sub version
{
    my ($word) = @_;
    return qq({"id": "700", "tasks": {"say": {"flows": [{"actions": [
        {"action": "exec", "command": ["printf", "%s", "$word"]}]}]}}});
}

sub says
{
    my ($word, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = $client->request('POST', "/cw/api/v2$run", type => 'application/json', body => '{}');
    is($answer->status, 202, "$name: accepted") or return diag($answer->body);
    return is(run_end($answer->json->{pid})->{result}, $word, $name);
}

unlink $file;
rows(['before there is a file', ['POST', $run, json => '{}'], 404, problem => 'unknown-project']);
install(version('one'));
says('one', 'a new file is found');
install(version('two'));
says('two', 'a new version is taken up');
install(version('one'));
install(version('six'));
says('six', 'also one of the same size right after another');

my @broken = (
    ['no JSON', '{"id": "700", ', qr/700\.json/],
    ['an unknown action', version('x') =~ s/exec/shell/r,
        qr{700\.json: /tasks/say/flows/0/actions/0/action: }],
    ['an unknown member', version('x') =~ s/"flows"/"flow"/r, qr{700\.json: /tasks/say}],
    ['a command that is none', version('x') =~ s/\[ *"printf".*?\]/"printf"/r,
        qr{700\.json: /tasks/say/flows/0/actions/0/command: }],
    ['a broken expression', version('{{VALUE(}}'),
        qr{700\.json: /tasks/say/flows/0/actions/0/command/2: }],
    ['another id', version('x') =~ s/"700"/"701"/r, qr{700\.json: /id: }],
);
for my $case (@broken) {
    my ($name, $text, $log) = @{$case};
    install($text);
    says('six', "$name: the last good version stays in force");
    log_has(qr/\[dbsync_wf:(?:error|warn)\].*WF\d{4}: .*$log/, "$name: the error log says where and why");
}
install(version('seven'));
says('seven', 'a good version after broken ones is taken up');
unlink $file or die "$file: $!\n";
rows(['when the file is gone', ['POST', $run, json => '{}'], 404, problem => 'unknown-project']);

# Broken from the start: there is nothing to fall back on.
install('{');
rows(['a project that never was good', ['POST', $run, json => '{}'], 500, problem => 'invalid-project']);
unlink $file or die "$file: $!\n";

done(qr/\[dbsync_wf:(?:error|warn)\].*WF\d{4}: .*700\.json/);

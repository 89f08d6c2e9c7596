#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# dbsync-wf over the API: each command's exit code, what it prints and where, and --json.
use strict;
use warnings FATAL => 'all';
use JSON::PP qw(decode_json);
use WfCommand qw(command command_home write_file);
use WfTest;

my $UUID = qr/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
my $NOBODY = '0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a';

# cases([NAME, [ARGUMENT, …], CODE, OUT, ERR, OPTION => …], …): each as a command; OUT and ERR are text or qr//.
sub cases
{
    my (@cases) = @_;
    for my $case (@cases) {
        my ($name, $arguments, $code, $out, $err, %option) = @{$case};
        my $is = command($arguments, %option);
        is($is->code, $code, "$name: exit code") or diag($is->out, $is->err);
        ref $out ? like($is->out, $out, "$name: stdout") : is($is->out, $out, "$name: stdout");
        ref $err ? like($is->err, $err, "$name: stderr") : is($is->err, $err, "$name: stderr");
    }
    return;
}

my $home = command_home();
my $body = write_file("$home/body.json", '{"from": "a file"}');
my $table = qr/^PID\s+TASK\s+STATUS\s+USER\s+SUBMITTED\s+TOOK\n/;
cases(
    # run
    ['run', [qw(run 600 noop)], 0, qr/\A$UUID\n\z/, ''],
    ['run --wait', [qw(run 600 text --wait)], 0, qr{\Apid +$UUID\ntask +600/text\nstatus +completed\n}, ''],
    ['its result', [qw(run 600 text --wait)], 0, qr/^result       two\n             lines\n\z/m, ''],
    ['run of what fails', [qw(run 600 code --wait)], 1, qr/^status +error\n.*^error +A program ended.*exit code 3/ms, ''],
    ['run of what takes too long', [qw(run 600 long --wait --timeout 1)], 4, qr/^status +running$/m,
        qr/not ended within 1 s/],
    ['a body', [qw(run 600 echo --wait -d), '{"a": "b c"}'], 0, qr/^result +\{"a":"b c"\}$/m, ''],
    ['standard input is closed', [qw(run 600 echo --wait -d), '"x"'], 0, qr/^result +x$/m, '', in => undef],
    ['standard output is full', [qw(run 600 noop)], 6, '', qr/output cannot be written/, to => '/dev/full'],
    ['a negative number', [qw(run 600 echo --wait -d -5)], 0, qr/^result +-5$/m, ''],
    ['a body from a file', [qw(run 600 echo --wait -d), "\@$body"], 0, qr/"from":"a file"/, ''],
    ['from standard input', [qw(run 600 echo --wait -d -)], 0, qr/^result +standard input$/m, '', in => '"standard input"'],
    ['and again', [qw(run 600 echo --wait --data=@-)], 0, qr/^result +standard input$/m, '', in => '"standard input"'],
    ['no file', [qw(run 600 echo -d @/no/such/file)], 2, '', qr{^dbsync-wf: /no/such/file: No such file}],
    ['an empty one', [qw(run 600 echo -d @/dev/null)], 5, '', qr/\(400\)/],
    ['no JSON', [qw(run 600 echo -d), '{"name": oops}'], 5, '',
        "dbsync-wf: The body is not valid JSON (400): Line 1, column 10: a value is expected.\n"],
    ['no project', [qw(run none 1)], 5, '', qr/\(404\)/],
    ['another path in a name', [qw(run 600/tasks/noop/run?x=), 'noop'], 5, '', qr/\(404\)/],
    ['no key', [qw(run 600 noop --key), 'a b'], 2, '', qr/visible ASCII/],
    # status, wait, interrupt
    ['no run', ['status', $NOBODY], 5, '', qr/\(404\)/],
    ['no run to wait for', ['wait', $NOBODY], 5, '', qr/\(404\)/],
    ['no run to interrupt', ['interrupt', $NOBODY], 5, '', qr/\(404\)/],
    # runs
    ['runs', [qw(runs --project 600 --task code --limit 3)], 0, qr{${table}$UUID  600/code +error +alice  \S+Z  [\d.]+ s\n}, ''],
    ['none', [qw(runs --project none)], 0, qr/$table\z/, ''],
    ['of a user', [qw(runs --user nobody)], 0, qr/$table\z/, ''],
    ['of a status', [qw(runs --project 600 --status error --limit 1)], 0, qr/${table}\S+  \S+ +error .*\n\z/, ''],
    ['of no status', [qw(runs --status odd)], 5, '', qr/\(400\)/],
    ['of no time', [qw(runs --from yesterday)], 5, '', qr/\(400\)/],
    ['before', [qw(runs --to 2001-01-01T00:00:00Z)], 0, qr/$table\z/, ''],
    # usage
    ['help', ['--help'], 0, qr/^usage: dbsync-wf COMMAND.*Exit codes: 0/s, ''],
    ['help for one', [qw(run --help)], 0, qr/^usage/, ''],
    ['nothing', [], 2, '', qr/^usage/],
    ['no command', ['dance'], 2, '', qr/^usage/],
    ['no option', [qw(status --dance), $NOBODY], 2, '', qr/^dbsync-wf: Unknown option: dance/],
    ['too little', [qw(run 600)], 2, '', qr/^dbsync-wf: run takes PROJECT TASK$/],
    ['too much', ['status', $NOBODY, 'x'], 2, '', qr/^dbsync-wf: status takes PID$/],
    ['empty', ['status', ''], 2, '', qr/takes PID/],
    ['a folder up', [qw(run .. noop)], 2, '', qr/takes PROJECT TASK/],
    ['no number', ['wait', '--timeout', 'x', $NOBODY], 2, '', qr/^dbsync-wf: Value "x" invalid/],
    ['below zero', ['wait', '--timeout=-1', $NOBODY], 2, '', qr/--timeout is 0 or more/],
    ['a time without waiting', [qw(run 600 noop --timeout 3)], 2, '', qr/go with --wait/],
    ['no limit', [qw(runs --limit 0)], 2, '', qr/--limit is 1 or more/],
    ['no URL', ['runs'], 2, '', qr/^dbsync-wf: where is the API\?/, env => {DBSYNC_WF_URL => undef}],
    ['another scheme', [qw(runs --url file:///etc/passwd)], 2, '', qr/must begin with http/],
    ['a password in it', [qw(runs --url http://a:b@127.0.0.1/)], 2, '', qr/neither user nor password/],
    ['a query in it', [qw(runs --url http://127.0.0.1/?x)], 2, '', qr/that of the base/],
    ['a terminal is needed', [qw(-u alice runs)], 2, '', qr/no terminal to ask/],
    ['no netrc file', [qw(runs --netrc-file /no/such/file)], 2, '', qr{/no/such/file: No such file}],
    # not reachable, not the API
    ['nobody there', [qw(runs --retry 0 --url http://127.0.0.1:1)], 6, '', qr/^dbsync-wf: Failed to connect/],
    ['another place of the server', ['--url', 'http://127.0.0.1:' . WfConfig::server_var('port'), 'runs'], 5, '', qr/404/],
    ['no credentials', ['runs'], 5, '', qr/\(401\).*netrc/s, env => {HOME => '/'}],
);

# A run's whole life by its pid.
my $pid = command([qw(run 600 long)])->out =~ s/\n//r;
wait_for('its start', 10, sub { run_get($pid)->{status} eq 'running' });
cases(
    ['status', ['status', $pid], 0, qr{^pid +$pid\ntask +600/long\nstatus +running\nuser +alice\n}, ''],
    ['wait, too short', ['wait', $pid, '--timeout', 0], 4, qr/^status +running$/m, qr/within 0 s/],
    ['interrupt', ['interrupt', $pid], 0, qr/^interrupt +\d{4}-/m, ''],
    ['wait for that', ['wait', $pid], 3, qr/^status +interrupted$/m, ''],
    ['interrupt again', ['interrupt', $pid], 0, qr/^status +interrupted$/m, ''],
);
my $done = run_ends_as('one that ended', 'completed', 'text')->{pid};
cases(
    ['wait for what has ended', ['wait', $done], 0, qr/^status +completed$/m, ''],
    ['interrupt what has ended', ['interrupt', $done], 5, '', qr/\(409\)/],
    # Who the user is.
    ['a netrc file', ['status', $done, '--netrc-file', write_file("$home/other", "machine 127.0.0.1 login bob password builder\n")],
        0, qr/^user +alice$/m, ''],
    ['a wrong one', ['status', $done, '--netrc-file', write_file("$home/wrong", "machine 127.0.0.1 login bob password wrong\n")],
        5, '', qr/\(401\)/],
);

# --json prints the server's bytes.
is(command(['status', $done, '--json'])->out, api('GET', "/status/$done")->body, 'status --json');
is(command(['wait', $done, '--json'])->out, api('GET', "/status/$done")->body, 'wait --json');
like(command([qw(run 600 noop --json)])->out, qr/\A\{"pid":"$UUID",.*\}\n\z/, 'run --json');
is(decode_json(command([qw(run 600 text --wait --json)])->out)->{result}, "two\nlines\n", 'run --wait --json: one document');
my $refused = command(['status', $NOBODY, '--json']);
is(decode_json($refused->out)->{type}, 'urn:dbsync-wf:problem:unknown-run', 'a problem --json');
like($refused->err, qr/\(404\)/, 'is told on stderr too');

# A key: the same request is the same run.
my $key = "$$-" . time;
my $first = command([qw(run 600 noop --key), $key]);
my $again = command([qw(run 600 noop --key), $key]);
is($again->out, $first->out, 'the same key, the same run');
like($again->err, qr/has started that run before/, 'which is told');
cases(['the key for another', [qw(run 600 echo --key), $key], 5, '', qr/\(422\)/]);

# Pages: more runs than the server puts into an answer, each one time, and no more than asked for.
my $client = client(keep => 1);
my $TOTAL = 520;
my @answers = map {
    $client->request('POST', '/cw/api/v2/projects/600/tasks/silent/run?trigger=API', type => 'application/json', body => '1')
} 1 .. $TOTAL;
my @silent = (qw(runs --project 600 --task silent --from), $answers[0]->json->{submitTime});
my @all = command([@silent, '--all'])->out =~ /^($UUID) /mg;
is(scalar @all, $TOTAL, '--all has all');
is(scalar keys %{{map { $_ => 1 } @all}}, $TOTAL, 'each of them once');
is(scalar(() = command([@silent, qw(--limit 510)])->out =~ /^$UUID /mg), 510, '--limit past a page');
my @pages = split /\n/, command([@silent, qw(--all --json)])->out;
is(scalar(map { @{decode_json($_)->{runs}} } @pages), $TOTAL, '--all --json: a page a line');

# Projects, and logs.
cases(
    ['projects', ['projects'], 0, qr/^PROJECT  NAME\n.*^569      CRM to ERP\n/ms, ''],
    ['the tasks of one', [qw(projects 569)], 0, qr/^TASK  NAME\n12    Upsert customer\n/, ''],
    ['of none', [qw(projects none)], 5, '', qr/\(404\)/],
    ['logs', ['logs', $done], 0, qr/^two\nlines\n/m, ''],
    ['of what has ended', ['logs', $done, '--follow'], 0, qr/^two\nlines\n/m, ''],
    ['of no run', ['logs', $NOBODY], 5, '', qr/\(404\)/],
);

# The file.
mkdir "$home/.config";
my $file = "$home/.config/dbsync-wf";
my $base = 'http://127.0.0.1:' . WfConfig::server_var('port') . '/cw/api/v2';
my @no_url = (env => {DBSYNC_WF_URL => undef});
write_file($file, "# where it is\n\n url = $base/ \nnetrc-file = ~/other\n");
cases(
    ['the file says where', ['status', $done], 0, qr/completed/, '', @no_url],
    ['and who', [qw(run 601 echo)], 5, '', qr/\(401\)/, @no_url],
    ['an option says more', [qw(run 601 echo --netrc-file), "$home/.netrc"], 0, $UUID, '', @no_url],
    ['so does the environment', ['runs', '--retry', 0], 6, '', qr/connect/, env => {DBSYNC_WF_URL => 'http://127.0.0.1:1'}],
);
write_file($file, "uri = $base\n");
cases(['a mistake in it', ['runs'], 2, '', qr/line 1: there is no setting "uri"; there are netrc-file, url, user$/, @no_url]);
write_file($file, "$base\n");
cases(['no setting', ['runs'], 2, '', qr/line 1: a line is `name = value`/, @no_url]);
unlink $file;

api('POST', "/interrupt/$_->{pid}") for @{api('GET', '/runs?status=running')->json->{runs}};
done(qr/AH01617: user bob: authentication failure/, qr/AH01631: user bob: authorization failure/);

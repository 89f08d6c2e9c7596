#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# dbsync-wf on a terminal and off it: what a run's values can do to either, the password that is asked
# for and that nobody sees, the progress bar, and Ctrl-C.
use strict;
use warnings FATAL => 'all';
use WfCommand qw(command command_home);
use WfStub ();
use WfTest;

my $home = command_home();
my $UNSAFE = qr/[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]/;

sub read_proc
{
    my ($file) = @_;
    open my $in, '<:raw', $file or return '';
    local $/ = undef;
    return scalar(<$in>) // '';
}

# The curl that a command has started, once it has read what it is to do: its command line's words.
sub curl_of
{
    my ($command) = @_;
    return wait_for('its curl', 20, sub {
        for my $pid (map {m{/proc/(\d+)$}} glob '/proc/[0-9]*') {
            my ($parent) = read_proc("/proc/$pid/status") =~ /^PPid:\s+(\d+)/m or next;
            my @words = split /\0/, read_proc("/proc/$pid/cmdline");
            return {pid => $pid, words => \@words} if $parent == $command && @words && $words[0] eq 'curl';
        }
        return;
    });
}

# ---- hostile values ----

my $hostile = qq(\e]0;owned\a\e[2J"'`\$(touch $home/touched)`\r\n status       completed\x{7f}\xc2\x9b31m\xe2\x80\xae!);
my $json = $hostile =~ s/([\x00-\x1f"\\\\])/sprintf '\\u%04x', ord $1/ger;
{
    my $plain = command([qw(run 600 shell --wait -d), qq({"text": "$json"})]);
    is($plain->code, 0, 'hostile text goes through');
    unlike($plain->out, $UNSAFE, 'no control is printed, nor a change of direction');
    like($plain->out, qr/^result       \\u001b\]0;owned\\u0007\\u001b\[2J"'`\$\(touch/m, 'but what it was');
    like($plain->out, qr/^              status       completed\\u007f\\u009b31m\\u202e!$/m, 'which cannot look like a line of ours');
    my ($pid) = $plain->out =~ /^pid +(\S+)/;
    my $raw = command(['status', $pid, '--json']);
    is($raw->out, api('GET', "/status/$pid")->body, 'off a terminal --json is the server\'s bytes');
    like($raw->out, $UNSAFE, 'these among them');
    my $shown = command(['status', $pid, '--json'], tty => 1);
    is($shown->code, 0, 'on a terminal');
    unlike($shown->out, $UNSAFE, 'they are not');
    my $error = command([qw(run 600 echo --key), "$$-" . time, '--wait', '-d', qq("$json" $json)]);
    is($error->code, 5, 'hostile text that is refused');
    unlike($error->err, $UNSAFE, 'neither comes back');
    command(['run', "600/\e[2J", $hostile, '-d', qq("$json")]);
    ok(!-e "$home/touched", 'and no shell saw any of it');
}
{
    my $run = qq({"pid": "p\\u001b[1m", "projectId": "6\\n00", "taskId": "t\\u202e", "status": "odd\\t", "user": "a\\rb"});
    my $stub = WfStub->new("$home/requests", sub {
        my ($count, $request) = @_;
        return WfStub::answer(200, $request =~ m{/runs} ? qq({"runs": [$run]}) : $run) if $request =~ m{/(?:runs|status)};
        return WfStub::answer(404, '{"title": "\\u001b[2J", "detail": "a\\rb"}', 'Content-Type: application/problem+json');
    });
    my @url = ('--url', $stub->url);
    my $table = command(['runs', @url]);
    is(scalar(() = $table->out =~ /\n/g), 2, 'a hostile row is one line');
    unlike($table->out, $UNSAFE, 'without controls');
    unlike(command(['status', 'x', @url])->out, $UNSAFE, 'so is a hostile run');
    is(command(['interrupt', 'x', @url])->err, "dbsync-wf: \\u001b[2J (404): a\\u000db\n", 'and a hostile problem');
}
{
    my $half = command([qw(run 600 echo --wait -d), '["\ud800", "\\\\ud800", "\ud83d\ude00"]']);
    like($half->out, qr/^result +\["\xef\xbf\xbd","\\\\ud800","\xf0\x9f\x98\x80"\]$/m,
        'half a surrogate pair is shown as what it is');
}
{
    my $deep = '[' x 511 . ']' x 511;
    is(command([qw(run 600 echo --wait -d), $deep])->out =~ /^result +(\S+)$/m ? $1 : '', $deep, 'a deep value');
}

# ---- the password ----

my $long = post_run('long-wait');
wait_for('its progress', 10, sub { run_get($long)->{progress} });
my $asked = command(['-u', 'alice', 'wait', $long, '--timeout', 3], tty => 1, env => {HOME => '/'},
    reply => [qr/^Password of alice: \z/, "wonderland\n"]);
is($asked->code, 4, 'a password that is asked for is taken');
unlike($asked->out, qr/wonderland/, 'and is not shown');
is(command(['-u', 'alice', 'runs'], tty => 1, env => {HOME => '/'}, reply => [qr/^Password/, "looking-glass\n"])->code, 5,
    'a wrong one is refused');
my $none = command(['-u', 'alice', 'runs'], tty => 1, reply => [qr/^Password/, "\x03"]);
is($none->code, 130, 'Ctrl-C is no password');
for my $case (['with netrc', undef], ['with a body', '{"secret": "in the body"}']) {
    my ($name, $data) = @{$case};
    my $stub = WfStub->new("$home/requests", sub { sleep 60 });
    my $seen;
    command(defined $data ? ['run', 'a', 'b', '-d', $data, '--url', $stub->url] : ['status', 'x', '--url', $stub->url],
        while => sub {
            my ($command) = @_;
            wait_for('the request', 20, sub { scalar $stub->requests });
            my $curl = curl_of($command->pid);
            $seen = join ' ', @{$curl->{words}};
            unlike(read_proc("/proc/$curl->{pid}/environ"), qr/wonderland|secret/, "$name: nothing is in curl's environment");
            like(($stub->requests)[0], qr/^Authorization: Basic /m, "$name: though it was sent");
            kill 'KILL', $curl->{pid};
            kill 'TERM', $command->pid;
        });
    is($seen, 'curl -q --config -', "$name: nothing is in its arguments");
}

# ---- the bar ----

{
    my $bar = command(['wait', $long, '--timeout', 1], tty => 1);
    like($bar->out, qr{\r\e\[K\[\.{24}\]  0/1  running  for long\r\e\[K}, 'a bar, which is rubbed out');
    my $narrow = command(['wait', $long, '--timeout', 0], tty => 1, env => {TERM => 'dumb'});
    unlike($narrow->out, qr/\[\.|\e/, 'none on a terminal that can do little');
    my $none = command(['wait', $long, '--timeout', 0]);
    unlike($none->out . $none->err, qr/\[\.|\e|\r/, 'none off a terminal');
    my $stub = WfStub->new("$home/requests", sub {
        my ($count) = @_;
        my ($done, $status) = ([0, 'submitted'], [600, 'running'], [1200, 'completed'])[$count > 2 ? 2 : $count]->@*;
        return WfStub::answer(200, qq({"pid": "x", "status": "$status", "progress": {"action": "write \\u001b[2Jcustomer", )
                . qq("done": $done, "total": 1200}, "records": {"read": $done, "written": $done}}), qq(ETag: "$count"));
    });
    my $moves = command(['wait', 'x', '--url', $stub->url], tty => 1);
    is($moves->code, 0, 'a run that gets on');
    like($moves->out, qr{\[\.{24}\]  0/1200  submitted  write .*\[#{12}\.{12}\]  600/1200  running  write \\u001b\[2Jcustomer  600 rea\r}s,
        'is seen getting on');
    my @requests = $stub->requests;
    like($requests[1], qr/^If-None-Match: "0"\r$/m, 'by its changes');
}

# ---- Ctrl-C ----

for my $case (['INT', 130], ['TERM', 143]) {
    my ($signal, $code) = @{$case};
    my $curl;
    my $left = command(['wait', $long], while => sub {
        my ($command) = @_;
        $curl = curl_of($command->pid);
        kill $signal, $command->pid;
    });
    is($left->code, $code, "SIG$signal ends the waiting");
    like($left->err, qr/^  dbsync-wf interrupt $long$/m, 'and how to end the run is told');
    wait_for('its curl to be gone', 10, sub { !-e "/proc/$curl->{pid}" });
    is(run_get($long)->{status}, 'running', 'which goes on');
}
my $begin = time;
my $pressed = command(['wait', $long], tty => 1, reply => [qr/running/, "\x03"]);
is($pressed->code, 130, 'so does Ctrl-C on a terminal');
like($pressed->out, qr/dbsync-wf interrupt $long/, 'which is told as well');
is(run_get($long)->{status}, 'running', 'and the run goes on');
cmp_ok(time - $begin, '<', 20, 'all that at once');
{
    my $stub = WfStub->new("$home/requests", sub { sleep 60 });
    my $curl;
    my $left = command(['logs', 'x', '--follow', '--url', $stub->url], while => sub {
        my ($command) = @_;
        $curl = curl_of($command->pid);
        kill 'INT', $command->pid;
    });
    is($left->code . $left->err, 130, 'logs --follow just ends');
    wait_for('its curl to be gone', 10, sub { !-e "/proc/$curl->{pid}" });
}
my $ended = command(['wait', $long, '--interrupt-on-signal'], while => sub {
    my ($command) = @_;
    curl_of($command->pid);
    kill 'INT', $command->pid;
});
is($ended->code, 3, 'with --interrupt-on-signal it is interrupted');
like($ended->out, qr/^status +interrupted$/m, 'and its end is told');
my $stubborn = command([qw(run 600 long --wait --interrupt-on-signal)], tty => 1, reply => [qr/running/, "\x03"]);
is($stubborn->code, 3, 'run --wait too');

done(qr/AH01617: user alice: authentication failure/);

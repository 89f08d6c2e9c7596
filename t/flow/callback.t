#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Ends of runs are told by callbacks, however they end: signed, again where that failed, at least once
# whoever is killed, and no more where nobody wants to know. A receiver that hangs delays no other one,
# and no stop. No secret is shown.
use strict;
use warnings FATAL => 'all';
use IO::Socket::INET ();
use JSON::PP ();
use Time::HiRes qw(time);
use WfConfig qw(free_port);
use WfHttpd;
use WfStub;
use WfTest;
use WfWebhook qw(read_webhook sign_webhook);

my $SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
my $SECOND = 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz';
my $PAUSE = 5;     # behind the first attempt, give or take a tenth
my $json = JSON::PP->new->canonical->utf8;

sub taken { return WfStub::answer(200, '') }

my $httpd = WfHttpd->new('callback');
my $folder = $httpd->folder;
my $down = free_port();
my %receiver = (
    good  => WfStub->new(state_file('callback.good'), \&taken),
    flaky => WfStub->new(state_file('callback.flaky'),
        sub { $_[0] == 0 ? WfStub::answer(500, 'no') : taken() }),
    gone  => WfStub->new(state_file('callback.gone'), sub { WfStub::answer(410, 'no') }),
    stored => WfStub->new(state_file('callback.stored'), \&taken),
);
# It takes connections, and never says anything.
my $silent = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1') or die "$@\n";

sub write_file
{
    my ($name, $text) = @_;
    open my $out, '>', "$folder/$name" or die "$folder/$name: $!\n";
    print {$out} $text;
    close $out or die "$folder/$name: $!\n";
    return;
}

my %exec = (
    echo => [qw(/bin/echo done)],
    fail => [qw(/bin/false)],
);
sub task
{
    my ($url, $action, %more) = @_;
    return {
        flows => [{name => 'main', actions => [$action // {action => 'exec', command => $exec{echo}}]}],
        ($url ? (api => {callback => {url => $url, secretFile => "$folder/secret"}}) : ()),
        %more,
    };
}

my %url = map { $_ => $receiver{$_}->url . "/hook?token=open-sesame" } keys %receiver;
my $project = {
    id    => '611',
    name  => 'Callbacks',
    tasks => {
        good   => task($url{good}),
        fail   => task($url{good}, {action => 'exec', command => $exec{fail}}),
        wait   => task($url{good}, {action => 'wait', seconds => 600}, concurrency => 1),
        flaky  => task($url{flaky}),
        gone   => task($url{gone}),
        down   => task("http://127.0.0.1:$down/hook"),
        silent => task('http://127.0.0.1:' . $silent->sockport . '/hook'),
        plain  => task(undef),
    },
};
sub write_project { return write_file('projects/611.json', $json->encode($project)) }

mkdir "$folder/projects" or die "$folder/projects: $!\n";
write_file('secret', "$SECRET\n");
write_project();
my $lines = qq(DbsyncWfProjects "$folder/projects"\nDbsyncWfThreads 4\n);
my $hosts = "DbsyncWfCallbackHosts example.org 127.0.0.1:$receiver{stored}{port}\n";
$httpd->configure($lines . $hosts);
$httpd->start;

# told(RECEIVER, PID): what a receiver was sent of a run, as head and body.
sub told
{
    my ($name, $pid) = @_;
    return grep { $_->{header}{'webhook-id'} eq $pid } map { read_webhook($_) } $receiver{$name}->requests;
}

# callback_is(PID, STATUS, SECONDS): waits until a run's callback is that, and gives it.
sub callback_is
{
    my ($pid, $status, $seconds) = @_;
    return wait_for("the callback of $pid to be $status", $seconds // 10, sub {
        my $callback = $httpd->run_get($pid)->{callback} // {};
        return ($callback->{status} // '') eq $status ? $callback : undef;
    });
}

# is_told(NAME, RECEIVER, PID, STATUS, SECRET): tests what was sent, the last time.
sub is_told
{
    my ($name, $receiver, $pid, $status, $secret) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return subtest $name => sub {
        my $callback = callback_is($pid, 'delivered', 3 * $PAUSE);
        my $run = $httpd->run_get($pid);
        my $told = (told($receiver, $pid))[-1] // {header => {}, body => '{}'};
        my %header = %{$told->{header}};
        my $event = $json->decode($told->{body});
        is($told->{line}, 'POST /base/hook?token=open-sesame HTTP/1.1', 'where');
        is($header{'webhook-signature'}, sign_webhook($told, $secret // $SECRET), 'signed');
        cmp_ok(abs($header{'webhook-timestamp'} - time), '<', 60, 'now');
        is($header{'content-type'}, 'application/json', 'its type');
        like($header{'user-agent'}, qr{^mod_dbsync_wf/}, 'by whom');
        is($event->{type}, 'run.ended', 'what happened');
        is($event->{timestamp}, $run->{completionTime}, 'when');
        is($event->{data}{status}, $status, 'how the run ended');
        delete $_->{callback} for $run, $event->{data};
        is_deeply($event->{data}, $run, 'the run as its status shows it');
        is($callback->{httpStatus}, 200, 'what it was answered');
        ok(!exists $callback->{reason} && !exists $callback->{nextAttemptTime}, 'and no more is to come');
    };
}

my $pid = $httpd->post_run('611', 'good');
is($httpd->run_end($pid)->{status}, 'completed', 'a run has ended');
is_told('its end is told', 'good', $pid, 'completed');
is(callback_is($pid, 'delivered')->{attempts}, 1, 'at once');
is(scalar told('good', $pid), 1, 'and once');

$pid = $httpd->post_run('611', 'plain');
ok(!exists $httpd->run_end($pid)->{callback}, 'a run whose task has no callback has none');

is_told('a run that failed', 'good', $httpd->post_run('611', 'fail'), 'error');

my $running = $httpd->post_run('611', 'wait');
my $queued = $httpd->post_run('611', 'wait');
is($httpd->run_get($queued)->{callback}{status}, 'wanted', 'before the end it is wanted');
is($httpd->api('POST', "/interrupt/$queued")->status, 202, 'interrupted while queued');
is_told('a run that never began', 'good', $queued, 'interrupted');
is($httpd->api('POST', "/interrupt/$running")->status, 202, 'interrupted while it runs');
is_told('a run that was interrupted', 'good', $running, 'interrupted');

# Again.
my $flaky = $httpd->post_run('611', 'flaky');
my $callback = wait_for('the first attempt', 10, sub {
    my $now = $httpd->run_get($flaky)->{callback};
    return $now->{attempts} ? $now : undef;
});
is($callback->{status}, 'pending', 'an attempt that failed is not the last');
is("$callback->{httpStatus} $callback->{reason}", '500 the receiver answered 500', 'why it did');
ok($callback->{nextAttemptTime} gt $callback->{lastAttemptTime}, 'when the next one is due');

my $gone = $httpd->post_run('611', 'gone');
$callback = callback_is($gone, 'failed');
is("$callback->{attempts} $callback->{httpStatus}", '1 410', 'who is gone is not told again');

is_told('who was not there is told later', 'flaky', $flaky, 'completed');
is($httpd->run_get($flaky)->{callback}{attempts}, 2, 'by the second attempt');
is(scalar told('flaky', $flaky), 2, 'with the same id');

# A secret that cannot be read is read again for the next attempt.
rename "$folder/secret", "$folder/away" or die "$folder/secret: $!\n";
$pid = $httpd->post_run('611', 'good');
wait_for('an attempt without a secret', 10, sub { $httpd->run_get($pid)->{callback}{attempts} });
like($httpd->run_get($pid)->{callback}{reason}, qr/^its secret cannot be read/, 'no secret, no attempt');
rename "$folder/away", "$folder/secret" or die "$folder/away: $!\n";
is_told('a secret that is there again', 'good', $pid, 'completed');

# Whoever is killed.
my @down = map { $httpd->post_run('611', 'down') } 1 .. 3;
$httpd->run_end($_) for @down;
wait_for('an attempt', 10, sub { $httpd->run_get($_)->{callback}{attempts} }) for @down;
for my $kind (qw(runner keeper)) {
    my $victim = $httpd->pid_of($kind);
    kill 'KILL', $victim or die "kill $victim: $!\n";
    wait_for("another $kind", 20, sub { ($httpd->pid_of($kind) || $victim) != $victim });
}
push @down, $httpd->accepted('611', 'down');
$receiver{down} = WfStub->new(state_file('callback.down'), \&taken, port => $down);
callback_is($_, 'delivered', 60) for @down;
is(scalar(grep { told('down', $_) >= 1 } @down), 4, 'all are told, although runner and keeper were killed');

# A receiver that hangs.
$pid = $httpd->post_run('611', 'silent');
$httpd->run_end($pid);
wait_for('the attempt to hang', 10, sub {
    my $bits = '';
    vec($bits, fileno $silent, 1) = 1;
    return select($bits, undef, undef, 0);
});
is_told('another receiver', 'good', $httpd->post_run('611', 'good'), 'completed');
my $began = time;
$httpd->stop;
cmp_ok(time - $began, '<', 8, 'no stop waits for the receiver');
$project->{tasks}{silent} = task($url{good});
write_project();
$httpd->start;
is_told('what was under way is due again, where the task says now', 'good', $pid, 'completed');
is($httpd->run_get($pid)->{callback}{attempts}, 1, 'and did not count');

# Of stored configurations.
sub configure_task
{
    my ($url) = @_;
    my $path = '/configurations/611/plain';
    my $tag = $httpd->api('GET', $path)->header('ETag');
    return $httpd->api('PUT', $path, ($tag ? (headers => {'If-Match' => $tag}) : ()),
        json => $json->encode({callback => {url => $url, secret => $SECOND}}));
}
my $answer = configure_task($url{stored});
is(int($answer->status / 100), 2, 'a callback is stored') or diag($answer->body);
unlike($answer->body, qr/$SECOND/, 'its secret is not shown');
is_told('its receiver is told', 'stored', $httpd->post_run('611', 'plain'), 'completed', $SECOND);

my $runner = $httpd->pid_of('runner') or die "there is no runner\n";
$httpd->configure($lines);
$httpd->control('graceful');
wait_for('a runner with the new directives', 30, sub {
    my @runners = $httpd->pids_of('runner');
    return @runners == 1 && $runners[0] != $runner;
});
$callback = callback_is($httpd->accepted('611', 'plain'), 'failed');
like($callback->{reason}, qr/DbsyncWfCallbackHosts/, 'nobody is told whom the operator does not name');
ok(!exists $callback->{httpStatus}, 'nor asked');

is($httpd->api('GET', '/configurations/611/plain')->json->{callback}{hasSecret}, JSON::PP::true, 'its callback stands');
is($httpd->api('DELETE', '/configurations/611/plain')->status, 204, 'and its configuration can be removed all the same');

my %figure = map { /^(dbsync_wf_callbacks\S*) (\d+)$/ ? ($1 => $2) : () }
    split /\n/, $httpd->api('GET', '/metrics')->body;
is($figure{'dbsync_wf_callbacks_total{outcome="failed"}'}, 1, 'the figures tell of it');
is($figure{dbsync_wf_callbacks_pending}, 0, 'and that nothing is left to tell');

open my $in, '<', "$folder/error_log" or die "$folder/error_log: $!\n";
my $log = join '', <$in>;
close $in or die "$folder/error_log: $!\n";
unlike($log, qr/$SECRET|$SECOND|open-sesame/, 'the error log has no secret, and no URL');
like($log, qr/WF0220: task good of project 611: the secret of its callback cannot be read from the file/,
    'but which secret is missing');
like($log, qr{WF0225: run $gone of 611/gone: nobody was told of its end, .*: the receiver answered 410},
    'and what was given up');

done();

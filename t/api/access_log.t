#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# %{dbsync_wf_pid}n: httpd's access log says which run a request started or was about, also where the
# request failed.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(server_var);
use WfTest;

my $log = server_var('t_logs') . '/pid_log';
my $NONE = '0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a';
my $mark = 0;

# logged(METHOD, PATH, OPTION => …): does the request, with an argument of its own in the query, and
# gives the pid and the status that its line in the log has, and the answer.
sub logged
{
    my ($method, $path, @option) = @_;
    my $own = "mark=$$-" . ++$mark;
    my $answer = api($method, $path . ($path =~ /\?/ ? '&' : '?') . $own, @option);
    my $line = wait_for("the line of $own", 10, sub {
        open my $in, '<', $log or die "$log: $!\n";
        return (grep {/[?&]\Q$own\E /} <$in>)[0];
    });
    my ($pid, $status) = split ' ', $line;
    return ($pid, $status, $answer);
}

sub is_logged
{
    my ($name, $pid, $status, @request) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($logged, $http_status) = logged(@request);
    is($logged, $pid, $name);
    is($http_status, $status, "with $status");
    return;
}

my $RUN = '/projects/600/tasks/noop/run?trigger=API';
my ($pid, $status, $answer) = logged('POST', $RUN, json => '{}');
is($status, 202, 'a run');
is($pid, $answer->json->{pid}, 'is logged with its pid');
run_end($pid);

my @key = (json => '{}', headers => {'Idempotency-Key' => "access-log-$$"});
($pid, $status, $answer) = logged('POST', $RUN, @key);
is($pid, $answer->json->{pid}, 'a run with a key');
is_logged('the same run again', $pid, 202, 'POST', $RUN, @key);
run_end($pid);
is_logged('a key of another request', '-', 422, 'POST', $RUN, @key, json => '[]');
is_logged('a run that is refused', '-', 400, 'POST', $RUN, json => '{');

is_logged('status', $pid, 200, 'GET', "/status/$pid");
is_logged('status of a pid in capitals', $pid, 200, 'GET', '/status/' . uc $pid);
is_logged('status that is known', $pid, 304, 'GET', "/status/$pid",
    headers => {'If-None-Match' => api('GET', "/status/$pid")->header('ETag')});
is_logged('HEAD', $pid, 200, 'HEAD', "/status/$pid");
is_logged('events', $pid, 200, 'GET', "/status/$pid/events");
is_logged('interrupt', $pid, 409, 'GET', "/interrupt/$pid");
is_logged('an argument that is none', $pid, 400, 'GET', "/status/$pid?wait=x");
is_logged('a method that is none', $pid, 405, 'DELETE', "/status/$pid");
is_logged('another world\'s', $pid, 404, 'GET', "/status/$pid", other => 1);
is_logged('a run that never was', $NONE, 404, 'GET', "/status/$NONE/events");
is_logged('no pid', '-', 404, 'GET', '/status/none');
is_logged('the list', '-', 200, 'GET', '/runs');
is_logged('nobody\'s', '-', 401, 'GET', "/status/$pid", user => undef);

done();

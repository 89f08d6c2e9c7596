# SPDX-License-Identifier: Apache-2.0
package WfTest;

# What every test file begins with: the server's addresses and users, runs, tables of request and
# answer, waiting for a condition, and the error log's check. Exports Test::More's functions too.
#
# A file ends with done(): the error log must hold, since the file began, no line of level warn or
# above and none that httpd did not write, except those that match what done() is given.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use Test::More;
use Time::HiRes qw(time);
use WfConfig qw(server_var);
use WfHttp ();
use WfLog ();

our @EXPORT = (
    @Test::More::EXPORT,
    qw(api client done forked_tree is_problem log_has post_run rows run_end run_ends_as run_get
        state_file test_dir wait_for $PID),
);

our $PID = qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

my %PASSWORD = (alice => 'wonderland', bob => 'builder', prometheus => 'firebringer');
my $BASE = '/cw/api/v2';
my $log = WfLog->new(server_var('t_logs') . '/error_log');

# A client of the server. Options: other (1: the other vhost of extra.conf.in), user ('alice'; undef
# sends no credentials), password, and WfHttp's own.
sub client
{
    my (%option) = @_;
    my $port = server_var(delete $option{other} ? 'other_port' : 'port');
    my $user = exists $option{user} ? $option{user} : 'alice';
    return WfHttp->new(
        port     => $port,
        password => $PASSWORD{$user // ''} // '',
        %option,
        user => $user,
    );
}

# api(METHOD, PATH, OPTION => …): one request. PATH is taken under the base unless it has `base => ''`.
# Options beside WfHttp::request's: json => text, a body of type application/json; and client()'s
# user, password and other.
sub api
{
    my ($method, $path, %option) = @_;
    my $base = delete $option{base} // $BASE;
    my %who = map { exists $option{$_} ? ($_ => delete $option{$_}) : () } qw(user password other);
    if (defined(my $json = delete $option{json})) {
        @option{qw(body type)} = ($json, $option{type} // 'application/json');
    }
    return client(%who)->request($method, "$base$path", %option);
}

# Posts a run of a task of project 600 (or `project`) and gives its pid; dies where it is not accepted.
sub post_run
{
    my ($task, $json, %option) = @_;
    my $project = delete $option{project} // '600';
    my $answer = api('POST', "/projects/$project/tasks/$task/run?trigger=API",
        json => $json // '{}', %option);
    die "run of $task: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 202;
    return $answer->json->{pid};
}

# The run as it stands; dies where there is none.
sub run_get
{
    my ($pid, %option) = @_;
    my $answer = api('GET', "/status/$pid", %option);
    die "status of $pid: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    return $answer->json;
}

# Waits until a run has ended, and gives it.
sub run_end
{
    my ($pid, %option) = @_;
    my $seconds = delete $option{seconds} // 20;
    my $run;
    wait_for("the end of run $pid", $seconds,
        sub { ($run = run_get($pid, %option))->{status} =~ /^(?:completed|error|interrupted)$/ });
    return $run;
}

# run_ends_as(NAME, STATUS, TASK, JSON, OPTION => …): posts, waits, tests the status; gives the run.
sub run_ends_as
{
    my ($name, $status, $task, $json, %option) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $run = run_end(post_run($task, $json, %option));
    is($run->{status}, $status, $name)
        or diag(JSON::PP->new->canonical->pretty->encode($run));
    return $run;
}

# wait_for(WHAT, SECONDS, CODE): calls code until it is true, and gives what it gave. Dies after
# that many seconds, so that no test goes on without what it waited for.
sub wait_for
{
    my ($what, $seconds, $code) = @_;
    my $deadline = time + $seconds;
    while (1) {
        my $value = $code->();
        return $value if $value;
        die "waited $seconds seconds in vain for $what\n" if time > $deadline;
        select undef, undef, undef, 0.02;
    }
}

# is_problem(ANSWER, STATUS, SLUG, NAME, DETAIL): tests that an answer is that problem document
# (RFC 9457), and that its detail matches DETAIL, where given, and names no path of the server.
sub is_problem
{
    my ($answer, $status, $slug, $name, $detail) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return subtest $name => sub {
        is($answer->status, $status, 'status');
        is($answer->header('Content-Type'), 'application/problem+json', 'content type');
        my $problem = eval { $answer->json } // {};
        is($problem->{type}, "urn:dbsync-wf:problem:$slug", 'type');
        is($problem->{status}, $status, 'the status in the document');
        like($problem->{title}, qr/\w/, 'title');
        my $dir = test_dir();
        unlike($answer->body, qr{\Q$dir\E|/tmp/|\.c:\d}, 'no path');
        like($problem->{detail}, $detail, 'detail') if $detail;
    };
}

# rows(ROW, …): each row is [NAME, [METHOD, PATH, OPTION => …], STATUS, EXPECTATION => …], with
#   problem => slug; detail => qr//; headers => {Name => text, qr// or undef for absent};
#   run => {member => text or qr//}; empty => 1 for no body.
sub rows
{
    my (@rows) = @_;
    for my $row (@rows) {
        my ($name, $request, $status, %expect) = @{$row};
        local $Test::Builder::Level = $Test::Builder::Level + 1;
        my $answer = eval { api(@{$request}) };
        if (!$answer) {
            fail("$name: $@");
            next;
        }
        if ($expect{problem}) {
            is_problem($answer, $status, $expect{problem}, $name, $expect{detail});
        }
        else {
            is($answer->status, $status, $name) or diag($answer->body);
        }
        _matches("$name: $_", $answer->header($_), $expect{headers}{$_})
            for sort keys %{$expect{headers} // {}};
        _matches("$name: $_", $answer->json->{$_}, $expect{run}{$_})
            for sort keys %{$expect{run} // {}};
        is($answer->body, '', "$name: no body") if $expect{empty};
    }
    return;
}

sub _matches
{
    my ($name, $is, $expected) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 2;
    return ref $expected ? like($is // '', $expected, $name) : is($is, $expected, $name);
}

# The folder of the tests, and the path of a file in which programs leave what they did.
sub test_dir { return server_var('t_dir') }

sub state_file
{
    my ($name) = @_;
    my $file = server_var('t_state') . "/$name";
    unlink $file;
    return $file;
}

# Waits until t/programs/stubborn.pl has written its file: its process id and its grandchild's.
sub forked_tree
{
    my ($file) = @_;
    return @{wait_for('the program to have forked', 20, sub {
        open my $in, '<', $file or return;
        my @lines = <$in>;
        return @lines == 2 ? [map {/(\d+)/} @lines] : undef;
    })};
}

# Tests that the error log has, since this file began, a line that matches.
sub log_has
{
    my ($pattern, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $found = eval {
        wait_for("a log line $pattern", 5, sub { scalar grep { $_ =~ $pattern } $log->lines });
    };
    return ok($found, $name);
}

# done(PATTERN, …): the last call of a file. The patterns are the lines that the file provokes.
sub done
{
    my (@declared) = @_;
    my @dirty = $log->dirty(@declared);
    is(scalar @dirty, 0, 'the error log is clean') or diag(@dirty[0 .. ($#dirty > 19 ? 19 : $#dirty)]);
    done_testing();
    return;
}

1;

# SPDX-License-Identifier: Apache-2.0
package WfCli::Commands;

# One function for each command over the API: it gets the HTTP client, the options and the
# arguments, prints, and gives the exit code.
use strict;
use warnings FATAL => 'all';
use IO::Handle ();
use Time::HiRes qw(sleep time);
use WfCli::Exit qw(COMPLETED UNREACHABLE give_up usage_error);
use WfCli::Http ();
use WfCli::Run qw(run_cells run_heads run_text);
use WfCli::Text qw(complain printable printable_stream put put_bytes shown table_row);
use WfCli::Wait ();

my $PAGE = 500;      # the most runs that the server puts into an answer
my $DEFAULT_LIMIT = 50;
my $LOG_SECONDS = 600; # that a whole output may take

# Each command's options (as Getopt::Long has them) and its arguments.
our %COMMAND = (
    run => {
        code => \&run, arguments => [qw(PROJECT TASK)],
        options => [qw(data|d=s key=s wait timeout=i interrupt-on-signal)],
    },
    status    => {code => \&status, arguments => ['PID']},
    wait      => {
        code => \&wait_for, arguments => ['PID'],
        options => [qw(timeout=i interrupt-on-signal)],
    },
    interrupt => {code => \&interrupt, arguments => ['PID']},
    runs      => {
        code => \&runs, arguments => [],
        options => [qw(project=s task=s status=s from=s to=s limit=i all)],
    },
    logs     => {code => \&logs, arguments => ['PID'], options => [qw(follow|f)]},
    projects => {code => \&projects, arguments => ['[PROJECT]']},
);

sub run
{
    my ($http, $option, $project, $task) = @_;
    usage_error('--timeout and --interrupt-on-signal go with --wait')
        if !$option->{wait} && grep { defined $option->{$_} } qw(timeout interrupt-on-signal);
    my $body = _body($option->{data});
    my $key = _key($option->{key});
    my $path = WfCli::Http::path('projects', $project, 'tasks', $task, 'run') . '?trigger=API';
    my $answer = eval {
        local @SIG{qw(INT TERM)} = (sub { die "signal INT\n" }, sub { die "signal TERM\n" });
        $http->ask('POST', $path, body => $body, headers => {'Idempotency-Key' => $key});
    };
    my $failure = $@;
    give_up($1 eq 'INT' ? 130 : 143, _repeat_hint($key)) if $failure =~ /^signal (\w+)$/;
    die $failure if $failure;
    complain(_repeat_hint($key)) if $answer->{failure} || $answer->{status} >= 500;
    my $run = $http->expect_object($answer);
    give_up(UNREACHABLE, 'the answer has no pid') if !length($run->{pid} // '');
    complain('this key has started that run before')
        if defined $option->{key} && ($answer->{headers}{'idempotency-replayed'} // '') eq 'true';
    if (!$option->{wait}) {
        $option->{json} ? put_bytes($answer->{body}) : put(printable($run->{pid}) . "\n");
        return COMPLETED;
    }
    complain('run ' . printable($run->{pid})) if -t STDERR;
    return _wait($http, $option, $run->{pid});
}

sub _repeat_hint
{
    my ($key) = @_;
    return 'whether a run was started is not known; to find out, or to start it once, repeat the '
        . "command with --key $key";
}

# The bytes of a request's body.
sub _body
{
    my ($data) = @_;
    return '{}' if !defined $data;
    my ($file) = $data =~ /^\@(.*)\z/s;
    return $data if !defined $file && $data ne '-';
    my $in = \*STDIN;
    if (defined $file && $file ne '-') {
        undef $in;
        open $in, '<:raw', $file or usage_error(shown($file) . ": $!");
    }
    binmode $in;
    my ($text, $count) = ('');
    1 while $count = sysread $in, $text, 1 << 20, length $text;
    defined $count or usage_error((defined $file ? shown($file) : 'standard input') . ": $!");
    return $text;
}

# The key that is given, or one that nobody has had.
sub _key
{
    my ($key) = @_;
    if (defined $key) {
        $key =~ /\A[!-~]{1,255}\z/ or usage_error('a key is 1 to 255 visible ASCII characters');
        return $key;
    }
    open my $in, '<:raw', '/dev/urandom' or usage_error("/dev/urandom: $!");
    (sysread $in, my $bytes, 16) == 16 or usage_error("/dev/urandom: $!");
    return unpack 'H*', $bytes;
}

sub status
{
    my ($http, $option, $pid) = @_;
    return _show_run($http, $option, $http->once('GET', WfCli::Http::path('status', $pid)));
}

sub interrupt
{
    my ($http, $option, $pid) = @_;
    return _show_run($http, $option, $http->ask('POST', WfCli::Http::path('interrupt', $pid)));
}

sub _show_run
{
    my ($http, $option, $answer) = @_;
    my $run = $http->expect_object($answer);
    $option->{json} ? put_bytes($answer->{body}) : put(run_text($run));
    return COMPLETED;
}

sub wait_for
{
    my ($http, $option, $pid) = @_;
    return _wait($http, $option, $pid);
}

sub _wait
{
    my ($http, $option, $pid) = @_;
    my ($answer, $run, $code) = WfCli::Wait::wait_for_end($http, $pid,
        timeout => $option->{timeout}, interrupt_on_signal => $option->{'interrupt-on-signal'});
    $option->{json} ? put_bytes($answer->{body}) : put(run_text($run));
    return $code;
}

sub runs
{
    my ($http, $option) = @_;
    my $limit = $option->{limit} // $DEFAULT_LIMIT;
    $limit > 0 or usage_error('--limit is 1 or more');
    my $left = $option->{all} ? undef : $limit;
    my @filter = map { $_ => $option->{$_} } qw(project task status from to);
    push @filter, user => $option->{by};
    my ($cursor, @widths);
    my @heads = [run_heads()];
    while (1) {
        my $answer = $http->once('GET', WfCli::Http::path('runs') . WfCli::Http::query(@filter,
            limit => defined $left && $left < $PAGE ? $left : $PAGE, cursor => $cursor));
        my $page = $http->expect_object($answer);
        my @runs = @{$page->{runs} // []};
        $cursor = $page->{next};
        if ($option->{json}) {
            put_bytes($answer->{body});
            return COMPLETED if !$option->{all};
        }
        else {
            _put_rows(\@widths, splice(@heads), map { [run_cells($_)] } @runs);
        }
        return COMPLETED if !defined $cursor;
        $left -= @runs if defined $left;
        last if defined $left && $left <= 0;
    }
    complain('there are more: --all, or a greater --limit') if -t STDERR;
    return COMPLETED;
}

# Rows whose columns are wide enough for all of them.
sub _put_rows
{
    my ($widths, @rows) = @_;
    table_row($widths, @{$_}) for @rows;
    put(join '', map { table_row($widths, @{$_}) } @rows);
    return STDOUT->flush;
}

# All projects, or the tasks of one.
sub projects
{
    my ($http, $option, $project) = @_;
    my ($is_first, $cursor, @widths) = (1);
    while ($is_first || defined $cursor) {
        my $path = WfCli::Http::path('projects', defined $project ? $project : ());
        $path .= WfCli::Http::query(limit => $PAGE, cursor => $cursor) if !defined $project;
        my $answer = $http->once('GET', $path);
        my $page = $http->expect_object($answer);
        $cursor = $page->{next};
        my @rows = map { [_named($_)] } @{$page->{defined $project ? 'tasks' : 'projects'} // []};
        unshift @rows, [defined $project ? 'TASK' : 'PROJECT', 'NAME'] if $is_first;
        $is_first = 0;
        $option->{json} ? put_bytes($answer->{body}) : _put_rows(\@widths, @rows);
    }
    return COMPLETED;
}

# Id and name of a project or task.
sub _named
{
    my ($item) = @_;
    my @about = ($item->{name} // (), $item->{broken} ? '(its file is broken)' : ());
    return map { printable($_) } $item->{taskId} // $item->{projectId}, "@about";
}

# A run's output. Where the connection is lost while it is followed, the rest comes from another.
sub logs
{
    my ($http, $option, $pid) = @_;
    my $path = WfCli::Http::path('logs', $pid) . ($option->{follow} ? '?follow=1' : '');
    my ($shown, $pending) = (0, '');
    my $seconds = $option->{follow} ? undef : $LOG_SECONDS;
    my $is_terminal = -t STDOUT;
    STDOUT->autoflush(1);
    my ($deadline, $skip);
    my $sink = sub {
        my ($bytes) = @_;
        my $known = $skip < length $bytes ? $skip : length $bytes;
        $skip -= $known;
        $bytes = substr $bytes, $known;
        return if !length $bytes;
        $shown += length $bytes;
        undef $deadline;
        $is_terminal ? put(printable_stream(\$pending, $bytes)) : print {*STDOUT} $bytes;
    };
    while (1) {
        $skip = $shown;
        my $answer = $http->once('GET', $path, sink => $sink, seconds => $seconds);
        last if !$answer->{failure} && $answer->{status} =~ /^2/;
        $deadline //= time + $http->{settings}{retry};
        $http->expect_success($answer)
            if !$option->{follow} || !WfCli::Http::can_repeat($answer) || time >= $deadline;
        sleep 0.5;
    }
    put(printable_stream(\$pending)) if $is_terminal;
    return COMPLETED;
}

1;

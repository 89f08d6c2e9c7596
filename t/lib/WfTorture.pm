# SPDX-License-Identifier: Apache-2.0
package WfTorture;

# Does things to the test server at random while clients post runs, read statuses and interrupt; then
# holds what was answered against what happened. What is done and when follows from the seed alone.
#
#   my $torture = WfTorture->new(seed => 7, seconds => 60, acts => [qw(keeper runner child)]);
#   my %count = $torture->run;
#
# Acts: to kill the keeper, the runner, the supervisor or a child of httpd; both: the keeper, and then a
# child whose requests wait for the next one; graceful; restart; stop (and start); changed: graceful with
# another DbsyncWfThreads.
#
# The counts that must be 0, if all promises are kept:
#   lost      acknowledged (202) and unknown afterwards
#   stuck     acknowledged and not ended long after the load
#   double    executed more than once
#   false     answered as completed and never executed, or a final status that changed
#   orphans   processes of runs that are alive when all have ended
#   refused   requests that a living process of httpd answered 5xx, or otherwise not as it should
#   silent    streams of events that went on without telling the end of their run
#   untold, mistold            see WfTortureCallbacks
#   unset, admitted, barred    see WfTortureConfigurations
# and, of the others: cut, connections that were refused or ended without an answer, which only the
# death of a child, restart and stop may do.
use strict;
use warnings FATAL => 'all';
use POSIX ();
use Time::HiRes qw(time);
use WfConfig qw(server_var write_extra);
use WfServer qw(children_of command_of httpd is_alive name_of parent_pid pids_of);
use WfTortureAsk qw(ask client);
use WfTortureCallbacks;
use WfTortureConfigurations;

our @PROMISES = qw(lost stuck double false orphans refused silent untold mistold unset admitted barred);

my $CLIENTS = 6;
my $FINAL   = qr/^(?:completed|error|interrupted)$/;
my $FILE    = 'torture';
# Seconds for which a client follows a run, and for which a stream may be behind it.
my $FOLLOW = 10;
my $BEHIND = 5;
# Seconds that everything may take to end after the load: a backlog, restarts with back-off, a lease.
my $PATIENCE = 120;

# Options: seed; seconds of load at most; acts, each named as often as it is to be likely, or none;
# times: the load ends after so many acts; pace (4): seconds from one act to the next, about, at most;
# postponed (0): the share of callbacks whose first attempt is answered 503;
# say: is called with a line for each act and for each broken promise.
sub new
{
    my ($class, %option) = @_;
    return bless {say => sub { }, acts => [], pace => 4, times => 0, postponed => 0, %option}, $class;
}

sub run
{
    my ($self) = @_;
    $self->{folder} = server_var('t_state');
    unlink glob "$self->{folder}/$FILE*";
    $self->{callbacks} =
        WfTortureCallbacks->new(file => "$self->{folder}/$FILE", postponed => $self->{postponed});
    $self->{configurations} = WfTortureConfigurations->new;
    my $end = time + $self->{seconds};
    my $writers = @WfTortureConfigurations::TASKS;
    my @clients = map { $self->_start_client($_, $end) } 1 .. $CLIENTS + $writers;
    $self->_act_until($end);
    $self->_say_enough if $self->{times} && @{$self->{acts}};
    for my $client (@clients) {
        waitpid $client, 0;
        die "a client of the torture ended with $?\n" if $? != 0;
    }
    $self->_read_what_was_said;
    $self->_await_ends;
    $self->_compare;
    delete $self->{callbacks}; # and its project
    return %{$self->{count}};
}

# ---- the clients: one process each, which writes a line for whatever it learns ----

sub _start_client
{
    my ($self, $number, $end) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    srand $self->{seed} * 100 + $number;
    my $ok = eval { $self->_be_client($number, $end); 1 };
    print STDERR $@ if !$ok;
    POSIX::_exit($ok ? 0 : 1);
}

sub _be_client
{
    my ($self, $number, $end) = @_;
    open my $out, '>', "$self->{folder}/$FILE.said.$number" or die "$FILE.said.$number: $!\n";
    my $is_over = sub { return time >= $end || -e "$self->{folder}/$FILE.enough" };
    if ($number <= $CLIENTS) {
        $self->_run_until($out, $number, $is_over);
    }
    else {
        my $task = $WfTortureConfigurations::TASKS[$number - $CLIENTS - 1];
        WfTortureConfigurations::write_until($out, $task, "$self->{seed}.$$", $is_over);
    }
    close $out or die "$FILE.said.$number: $!\n";
    return;
}

# Posts, reads and interrupts.
sub _run_until
{
    my ($self, $out, $number, $is_over) = @_;
    my (@pids, $posts);
    while (!$is_over->()) {
        my $what = rand;
        if (!@pids || $what < 0.5) {
            # The seed is in it, since a run whose answer was cut may be executed under the next one.
            my ($pid) = _post($out, "$self->{seed}-$number-" . ++$posts);
            push @pids, $pid if $pid;
            shift @pids if @pids > 50;
        }
        elsif ($what < 0.87) {
            _look($out, $pids[rand @pids]);
        }
        elsif ($what < 0.9) {
            _follow($out, $pids[rand @pids]);
        }
        else {
            _interrupt($out, $pids[rand @pids]);
        }
        select undef, undef, undef, rand 0.05; # the load's pace
    }
    return;
}

# The answer of one that succeeded.
sub _ask
{
    my $answer = ask(@_) or return;
    return $answer->status < 300 ? $answer : undef;
}

sub _post
{
    my ($out, $tag) = @_;
    my $kind = rand;
    my $task = $kind < 0.65 ? 'mark'
        : $kind < 0.8 ? $WfTortureCallbacks::TASK
        : $kind < 0.9 ? 'set'
        : $kind < 0.98 ? 'sleep'
        : 'stubborn';
    my $project = $task eq $WfTortureCallbacks::TASK ? $WfTortureCallbacks::PROJECT : '603';
    my $seconds = sprintf '%.2f', rand($task eq 'sleep' ? 3 : 0.5);
    my $code = rand() < 0.2 ? 1 : 0; # that the one with a callback exits with
    my $body = qq({"tag": "$tag", "file": "$FILE", "seconds": $seconds, "code": $code});
    my $answer = $task eq 'set' ? WfTortureConfigurations::run($out, $body)
        : _ask($out, 'POST', "/projects/$project/tasks/$task/run?trigger=API", body => $body);
    my $pid = ($answer // return)->json->{pid};
    print {$out} "posted $pid $tag $task\n";
    return $pid;
}

# Whether the run has ended.
sub _look
{
    my ($out, $pid) = @_;
    my $answer = _ask($out, 'GET', "/status/$pid") or return 0;
    my $status = $answer->json->{status};
    return 0 if $status !~ $FINAL;
    print {$out} "final $pid $status\n";
    return 1;
}

# Reads a run's events until the stream ends, which it may do at any time.
sub _follow
{
    my ($out, $pid) = @_;
    my $client = client();
    my ($text, $ended) = ('', 0);
    my $end = time + $FOLLOW;
    my $read = eval {
        $client->ask('GET', "/cw/api/v2/status/$pid/events");
        my $status = $client->head->status;
        print {$out} "refused $status GET /status/$pid/events\n" if $status != 200;
        while (1) {
            if ($client->is_answered(0.1)) {
                my $piece = $client->piece // last;
                $text .= $piece;
            }
            next if time < $end;
            last if $ended || !_look($out, $pid);
            ($ended, $end) = (1, time + $BEHIND);
        }
        1;
    };
    print {$out} 'cut ', $@ =~ s/\s+/ /gr, "\n" if !$read;
    print {$out} "followed $pid\n" if $text =~ /^event: end$/m;
    print {$out} "silent $pid\n" if $ended && time >= $end;
    my ($last) = $text =~ /.*^data: [^\n]*?"status":"(\w+)"/ms;
    print {$out} "final $pid $last\n" if defined $last && $last =~ $FINAL;
    return;
}

sub _interrupt
{
    my ($out, $pid) = @_;
    _ask($out, 'POST', "/interrupt/$pid") or return;
    print {$out} "asked $pid\n";
    return;
}

# ---- what is done to the server ----

sub _act_until
{
    my ($self, $end) = @_;
    my @acts = @{$self->{acts}};
    srand $self->{seed};
    while (@acts) {
        my $act = $acts[rand @acts];
        # Now and then two at once.
        my $pause = rand() < 0.15 ? 0.05 : $self->{pace} * (0.125 + rand);
        last if time + $pause > $end || $self->{times} && ($self->{count}{acts} // 0) >= $self->{times};
        select undef, undef, undef, $pause;
        my $done = $act =~ /^(?:graceful|restart|stop|changed)$/ ? $self->_signal($act) : _kill($act);
        next if !$done; # there is none at the moment
        $self->{count}{acts}++;
        $self->{count}{"act $act"}++;
        $self->{say}->("$self->{count}{acts}: $act$done");
    }
    return;
}

# Tells the clients to stop.
sub _say_enough
{
    my ($self) = @_;
    open my $out, '>', "$self->{folder}/$FILE.enough" or die "$FILE.enough: $!\n";
    close $out or die "$FILE.enough: $!\n";
    return;
}

# Kills a process or both; what was done, as text.
sub _kill
{
    my ($kind) = @_;
    if ($kind eq 'both') {
        my $done = _kill('keeper') or return;
        select undef, undef, undef, 0.02; # in which requests come to wait
        return $done . (_kill('child') // '');
    }
    my @victims = $kind eq 'child' ? _children() : pids_of($kind);
    my $victim = $victims[rand @victims] or return;
    return kill('KILL', $victim) ? ", process $victim" : undef;
}

sub _signal
{
    my ($self, $act) = @_;
    if ($act eq 'changed') {
        $self->{threads} = 12 + ($self->{threads} // 0) % 3;
        write_extra('torture', "DbsyncWfThreads $self->{threads}\n");
    }
    my $parent = parent_pid();
    httpd($act eq 'changed' ? 'graceful' : $act);
    if ($act eq 'stop') {
        my $deadline = time + 30;
        while (-e "/proc/$parent") {
            die "httpd does not stop\n" if time > $deadline;
            select undef, undef, undef, 0.02;
        }
        httpd('start');
    }
    return ' ';
}

# httpd's own children.
sub _children
{
    return grep { is_alive($_) && name_of($_) !~ /^wf-/ } children_of(parent_pid());
}

# ---- afterwards ----

sub _read_what_was_said
{
    my ($self) = @_;
    my $count = $self->{count} //= {};
    $count->{$_} //= 0
        for qw(acts posted asked cut followed completed error interrupted), @PROMISES,
        @WfTortureCallbacks::COUNTS, @WfTortureConfigurations::COUNTS;
    for my $file (glob "$self->{folder}/$FILE.said.*") {
        open my $in, '<', $file or die "$file: $!\n";
        while (my $line = <$in>) {
            next if $self->{configurations}->note($line);
            my ($what, $one, $two, $three) = split ' ', $line;
            $count->{$what}++ if exists $count->{$what};
            $self->{run}{$one} = {tag => $two, task => $three} if $what eq 'posted';
            $self->{seen}{$one}{$two} = 1 if $what eq 'final';
            $self->{say}->($line =~ s/\n//r) if $what =~ /^(?:refused|silent|unset)$/;
        }
    }
    return;
}

# Waits until each run that was acknowledged has ended, or is unknown.
sub _await_ends
{
    my ($self) = @_;
    my $deadline = time + $PATIENCE;
    my $client = client(keep => 1);
    for my $pid (sort keys %{$self->{run}}) {
        my $run = $self->{run}{$pid};
        while (1) {
            my $answer = eval { $client->request('GET', "/cw/api/v2/status/$pid") };
            $client->close if !$answer; # a connection that was cut by the last kill
            if ($answer) {
                $run->{code} = $answer->status;
                $run->{status} = $answer->json->{status};
                $run->{error} = ($answer->json->{error} // {})->{type};
                last if $run->{code} == 404 || $run->{code} == 200 && $run->{status} =~ $FINAL;
            }
            last if time > $deadline;
            select undef, undef, undef, 0.02;
        }
    }
    $self->{configurations}->read_last($deadline);
    return;
}

sub _compare
{
    my ($self) = @_;
    my $count = $self->{count};
    my %times = $self->_marks;
    for my $pid (sort keys %{$self->{run}}) {
        my $run = $self->{run}{$pid};
        my ($code, $status) = ($run->{code} // 0, $run->{status} // '');
        if ($code == 404) {
            $self->_found('lost', $pid, '');
            next;
        }
        if ($code != 200 || $status !~ $FINAL) {
            $self->_found('stuck', $pid, "$code $status");
            next;
        }
        $count->{$status}++;
        $count->{"error $run->{error}"}++ if $status eq 'error';
        $self->_found('false', $pid, 'completed, and was not executed')
            if $status eq 'completed' && !$times{$pid};
        my @others = grep { $_ ne $status } keys %{$self->{seen}{$pid} // {}};
        $self->_found('false', $pid, "was @others and is $status") if @others;
    }
    $self->_found('double', $_, "executed $times{$_} times") for grep { $times{$_} > 1 } sort keys %times;
    $self->_found('orphans', $_, command_of($_)) for $self->_orphans;
    my $found = sub { $self->_found(@_) };
    my %told = map { $_ => $self->{run}{$_} } grep { $self->_is_told($_) } keys %{$self->{run}};
    $self->{callbacks}->compare(\%told, $count, $found);
    $self->{configurations}->compare($count, $found);
    return;
}

# Whether the end of a run must be told.
sub _is_told
{
    my ($self, $pid) = @_;
    my $run = $self->{run}{$pid};
    return $run->{task} eq $WfTortureCallbacks::TASK && ($run->{status} // '') =~ $FINAL;
}

sub _found
{
    my ($self, $what, $which, $how) = @_;
    $self->{count}{$what}++;
    $self->{say}->("$what: $which $how");
    return;
}

# How often each run was executed, of those that were answered and of those that were cut.
sub _marks
{
    my ($self) = @_;
    my (%times, %tags);
    open my $in, '<', "$self->{folder}/$FILE" or return;
    while (my $line = <$in>) {
        my ($pid, $tag) = split ' ', $line;
        $times{$pid}++;
        $tags{$tag}{$pid} = 1;
    }
    # One POST, one run: a client of the store that repeats its call must not make two.
    for my $tag (grep { keys %{$tags{$_}} > 1 } sort keys %tags) {
        $self->_found('double', $tag, 'was executed as ' . join ' ', sort keys %{$tags{$tag}});
    }
    return %times;
}

# What is alive of the runs: a program with a run's environment or arguments, or of a stubborn tree.
sub _orphans
{
    my ($self) = @_;
    my %orphan;
    for my $file (glob "$self->{folder}/$FILE.tree.*") {
        open my $in, '<', $file or next;
        while (my $line = <$in>) {
            my ($pid) = $line =~ /(\d+)/ or next;
            $orphan{$pid} = 1 if is_alive($pid) && command_of($pid) =~ /stubborn|select undef/;
        }
    }
    for my $pid (map {m{^/proc/(\d+)$}} glob '/proc/[0-9]*') {
        $orphan{$pid} = 1 if is_alive($pid) && command_of($pid) =~ m{\Q$self->{folder}/$FILE\E};
    }
    return sort { $a <=> $b } keys %orphan;
}

1;

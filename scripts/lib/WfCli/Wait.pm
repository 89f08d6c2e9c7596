# SPDX-License-Identifier: Apache-2.0
package WfCli::Wait;

# Waits for a run's end, by GET /status/{pid}?wait=, and shows how far it is where somebody watches.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(sleep time);
use WfCli::Bar ();
use WfCli::Exit qw(TIMED_OUT UNREACHABLE give_up);
use WfCli::Http ();
use WfCli::Run qw(exit_code is_ended);
use WfCli::Text qw(complain shown);

my $ASK_MOST = 30;       # seconds that one request waits
my $PAUSE = 1;           # between requests, where the server did not let one wait
my $PAUSE_OF_BAR = 0.25; # between two changes that are shown
my %NUMBER = (HUP => 1, INT => 2, TERM => 15);

# wait_for_end(HTTP, PID, OPTIONS): options are timeout (seconds, or undef) and interrupt_on_signal.
# Gives the answer and the run when it has ended or the time is up, and the exit code of that.
sub wait_for_end
{
    my ($http, $pid, %option) = @_;
    my $self = bless {
        http     => $http,
        pid      => $pid,
        ask      => $ASK_MOST,
        deadline => defined $option{timeout} ? time + $option{timeout} : undef,
        bar      => WfCli::Bar->new,
        timeout  => $option{timeout},
    }, __PACKAGE__;
    my $may_interrupt = $option{interrupt_on_signal};
    while (1) {
        my $signal;
        $self->{signal} = \$signal;
        my @outcome = eval {
            local @SIG{keys %NUMBER} = map {
                my $name = $_;
                sub { $signal = $name; die "signal\n" }
            } keys %NUMBER;
            $self->_until_end;
        };
        my $failure = $@;
        $self->{bar}->clear;
        return @outcome if @outcome && !$signal;
        die $failure if !$signal;
        $self->_leave($signal) if !$may_interrupt--;
        $self->_interrupt;
    }
}

# How a signal ends the program, which leaves the run as it is.
sub _leave
{
    my ($self, $signal) = @_;
    my $pid = shown($self->{pid});
    return give_up(128 + $NUMBER{$signal}, "the run goes on; to see or to end it:\n"
        . "  dbsync-wf status $pid\n  dbsync-wf interrupt $pid");
}

sub _interrupt
{
    my ($self) = @_;
    complain('interrupting the run; once more, and its end is not waited for');
    my $answer = $self->{http}->ask('POST', WfCli::Http::path('interrupt', $self->{pid}));
    # It may have ended meanwhile.
    $self->{http}->expect_success($answer) if $answer->{status} != 409;
    return;
}

sub _until_end
{
    my ($self) = @_;
    my ($answer, $run);
    while (1) {
        # What looks into answers may have kept the exception to itself.
        die "signal\n" if ${$self->{signal}};
        my $begin = time;
        my $next = $self->_look($answer && $answer->{headers}{etag});
        if ($next->{status} != 304) {
            ($answer, $run) = ($next, $self->{http}->expect_object($next));
            return ($answer, $run, exit_code($run)) if is_ended($run);
            $self->{bar}->show($run);
        }
        if (defined $self->{deadline} && time >= $self->{deadline}) {
            $self->{bar}->clear;
            complain("the run has not ended within $self->{timeout} s");
            return ($answer, $run, TIMED_OUT);
        }
        $self->_pause($begin, $next->{status} != 304);
    }
}

# One request. With a tag it is answered as soon as the run differs, which only a bar is for.
sub _look
{
    my ($self, $tag) = @_;
    while (1) {
        my $left = defined $self->{deadline} ? $self->{deadline} - time : $self->{ask};
        $left = 0 if $self->{bar}->is_shown && !$tag;    # there is nothing on it yet
        my $ask = $left > 0 ? int($left + 0.999) : 0;
        $ask = $self->{ask} if $ask > $self->{ask};
        my $answer = $self->{http}->ask('GET',
            WfCli::Http::path('status', $self->{pid}) . ($ask ? "?wait=$ask" : ''), seconds => $ask,
            headers => {$tag && $self->{bar}->is_shown ? ('If-None-Match' => $tag) : ()});
        # DbsyncWfMaxWait is less than that.
        return $answer if $answer->{status} != 400 || !$ask;
        $self->{ask} = int($ask / 2);
    }
}

# A server that has its hands full answers at once, and must not be asked the more for it.
sub _pause
{
    my ($self, $begin, $has_changed) = @_;
    my $pause = $has_changed && $self->{bar}->is_shown ? $PAUSE_OF_BAR : $PAUSE;
    my $nap = $begin + $pause - time;
    $nap = $self->{deadline} - time if defined $self->{deadline} && $nap > $self->{deadline} - time;
    sleep $nap if $nap > 0;
    return;
}

1;

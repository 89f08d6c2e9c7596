# SPDX-License-Identifier: Apache-2.0
package WfTortureConfigurations;

# The API configurations of the torture: each task has a writer, the only one who changes it, which reads
# as well, while others run the task. Afterwards each answer is held against what could be in force then:
# the last change that was answered before it was asked for, and those that were begun since. A change
# whose answer was cut may have happened or not, but not after a later one was answered. The counts, of
# which the last three must be 0:
#   changes   that were answered
#   changes cut  that were not
#   configurations read
#   runs barred  refused since the task was disabled or removed
#   unset     a change that was answered and was not in force afterwards
#   admitted  a run that was accepted while its task was disabled or removed
#   barred    a run that was refused while its task was neither
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Time::HiRes qw(time);
use WfTortureAsk qw(ask ask_surely client monotonic problem_of);

our $PROJECT = '603';
our @TASKS   = qw(set1 set2 set3);
our @COUNTS  = ('changes', 'changes cut', 'configurations read', 'runs barred');

my $json = JSON::PP->new->canonical;

# ---- a writer, in a process of its own ----

# write_until(OUT, TASK, MARK, IS_OVER): changes and reads. MARK is a word that no other round has.
sub write_until
{
    my ($out, $task, $mark, $is_over) = @_;
    my $self = bless {out => $out, task => $task, mark => $mark}, __PACKAGE__;
    $self->{path} = "/configurations/$PROJECT/$task";
    while (!$is_over->()) {
        rand() < 0.6 ? $self->_change : $self->_read;
        select undef, undef, undef, rand 0.1;
    }
    return;
}

# Sets or removes it, in half of the cases only if it is as it was when that was last answered.
sub _change
{
    my ($self) = @_;
    # Behind an answer it is known what there is, and 412 would be wrong.
    my $is_sure = $self->{is_sure};
    my $kind = _kind($is_sure && $self->{is_set});
    my $text = $kind eq 'removed' || $kind eq 'file' ? $kind : "$kind:$self->{mark}-" . ++$self->{number};
    my $is_held = rand() < 0.5 && ($is_sure || $self->_read);
    my %headers = !$is_held ? () : $self->{is_set} ? ('If-Match' => $self->{tag}) : ('If-None-Match' => '*');
    my $began = monotonic();
    my $answer = ask($self->{out}, $kind eq 'removed' ? 'DELETE' : 'PUT', $self->{path}, headers => \%headers,
        body => scalar _body($kind, $text), may => $is_sure ? [] : ['precondition-failed']);
    my $status = $answer ? $answer->status : 0;
    return if $status == 412; # an earlier one, whose answer was cut, came in between
    my $is_answered = $status >= 200 && $status < 300;
    my $answered = $is_answered ? monotonic() : 0;
    printf {$self->{out}} "change %s %s %.6f %.6f\n", $self->{task}, $text, $began, $answered;
    @{$self}{qw(is_sure is_set)} = ($is_answered, $kind ne 'removed');
    return if !$is_answered || $kind eq 'removed';
    $self->{tag} = $answer->header('ETag');
    print {$self->{out}} "unset $self->{task} $text was answered as ", _text($answer), "\n"
        if _text($answer) ne $text;
    return;
}

sub _kind
{
    my ($may_remove) = @_;
    my $what = rand;
    return $what < 0.15 && $may_remove ? 'removed' : $what < 0.25 ? 'file' : $what < 0.5 ? 'off' : 'on';
}

sub _body
{
    my ($kind, $text) = @_;
    return if $kind eq 'removed';
    return '{"useProjectFile": true}' if $kind eq 'file';
    return $json->encode({description => $text, enabled => $kind eq 'on' ? JSON::PP::true : JSON::PP::false});
}

# Reads it; whether that was answered.
sub _read
{
    my ($self) = @_;
    my $began = monotonic();
    my $answer = ask($self->{out}, 'GET', $self->{path}, may => ['removed']) or return 0;
    my $text = _text($answer) or return 0;
    printf {$self->{out}} "shown %s %s %.6f %.6f\n", $self->{task}, $text, $began, monotonic();
    @{$self}{qw(is_set tag)} = ($text ne 'removed', $answer->header('ETag')) if !$self->{is_sure};
    return 1;
}

# What an answer shows: removed, file, on:MARK or off:MARK; empty where it is an error.
sub _text
{
    my ($answer) = @_;
    return problem_of($answer) eq 'removed' ? 'removed' : '' if $answer->status != 200;
    my $shown = $answer->json;
    return $shown->{source} eq 'project' ? 'file' : ($shown->{description} // 'none') =~ s/ /_/gr;
}

# ---- who runs such a task ----

# run(OUT, BODY): the answer, where the run was accepted.
sub run
{
    my ($out, $body) = @_;
    my $task = $TASKS[rand @TASKS];
    my $began = monotonic();
    my $answer = ask($out, 'POST', "/projects/$PROJECT/tasks/$task/run?trigger=API", body => $body,
        may => [qw(disabled removed)]) or return;
    printf {$out} "ran %s %s %.6f %.6f\n", $task, problem_of($answer) || $answer->status, $began, monotonic();
    return $answer->status == 202 ? $answer : undef;
}

# ---- afterwards ----

sub new { return bless {told => {}}, $_[0] }

# Takes a line that write_until or run has written; false where it is none.
sub note
{
    my ($self, $line) = @_;
    my ($what, $task, $text, $began, $answered) = split ' ', $line;
    return 0 if $what !~ /^(?:change|shown|ran)$/;
    push @{$self->{told}{$task}{$what}}, {text => $text, began => $began + 0, answered => $answered + 0};
    return 1;
}

# Reads each configuration for the last time, and sets it back.
sub read_last
{
    my ($self, $deadline) = @_;
    my $client = client(keep => 1);
    for my $task (@TASKS) {
        my $path = "/configurations/$PROJECT/$task";
        my $began = monotonic();
        my $answer = ask_surely($client, 'GET', $path, $deadline) or die "$path is not answered\n";
        push @{$self->{told}{$task}{shown}},
            {text => _text($answer), began => $began, answered => monotonic()};
        ask_surely($client, 'PUT', $path, $deadline, type => 'application/json', body => _body('file'))
            or die "$path is not answered\n";
    }
    return;
}

# compare(COUNT, FOUND): FOUND is called with what is broken, where and how.
sub compare
{
    my ($self, $count, $found) = @_;
    for my $task (sort keys %{$self->{told}}) {
        my ($changes, $shown, $ran) = map { $_ // [] } @{$self->{told}{$task}}{qw(change shown ran)};
        $count->{$_->{answered} ? 'changes' : 'changes cut'}++ for @{$changes};
        $count->{'configurations read'} += @{$shown};
        $count->{'runs barred'} += grep { $_->{text} ne '202' } @{$ran};
        for my $each (@{$shown}) {
            my @possible = _possible($changes, $each) or next;
            $found->('unset', $task, "shows $each->{text} at $each->{began}, not @possible")
                if !grep { $_ eq $each->{text} } @possible;
        }
        for my $each (grep { $_->{text} =~ /^(?:202|disabled|removed)$/ } @{$ran}) {
            my @possible = _possible($changes, $each) or next;
            next if grep { _outcome($_) eq $each->{text} } @possible;
            $found->($each->{text} eq '202' ? 'admitted' : 'barred', $task,
                "a run was answered $each->{text} at $each->{began} under @possible");
        }
    }
    return;
}

# What could be in force during a request; nothing where that is not known, before the first change.
sub _possible
{
    my ($changes, $request) = @_;
    my @possible;
    for my $change (reverse @{$changes}) {
        push @possible, $change->{text} if $change->{began} < $request->{answered};
        return @possible if $change->{answered} && $change->{answered} < $request->{began};
    }
    return;
}

# What a run is answered then.
sub _outcome
{
    my ($text) = @_;
    return $text eq 'removed' ? 'removed' : $text =~ /^off:/ ? 'disabled' : '202';
}

1;

# SPDX-License-Identifier: Apache-2.0
package WfEvents;

# A client of GET /status/{pid}/events, or of GET /runs/events, which reads the stream as the WHATWG's HTML
# standard says.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Time::HiRes qw(time);
use WfTest qw(client);

# WfEvents->open(PID, OPTION => …): asks for the stream and reads its head, which is then $events->head.
# PID undef: the stream of the list of runs.
# Options: base, id (Last-Event-ID), query, headers, protocol, and client()'s.
sub open
{
    my ($class, $pid, %option) = @_;
    my %ask = map { exists $option{$_} ? ($_ => delete $option{$_}) : () } qw(headers protocol);
    my $base = delete $option{base} // '/cw/api/v2';
    my $query = delete $option{query} // '';
    my $id = delete $option{id};
    $ask{headers}{'Last-Event-ID'} = $id if defined $id;
    my $client = client(%option);
    my $path = defined $pid ? "/status/$pid/events" : '/runs/events';
    $client->ask('GET', "$base$path$query", %ask);
    return bless {client => $client, text => '', head => $client->head}, $class;
}

sub head { return $_[0]{head} }

# The next block of the stream, undef at its end: {id, event, data, retry, comment}, what there is of it.
sub block
{
    my ($self) = @_;
    my $end;
    while (($end = index $self->{text}, "\n\n") < 0) {
        my $piece = $self->{client}->piece;
        if (!defined $piece) {
            die "the stream ends within an event: $self->{text}\n" if $self->{text} ne '';
            return;
        }
        $self->{text} .= $piece;
    }
    my %block;
    for my $line (split /\n/, substr $self->{text}, 0, $end + 2, '') {
        my ($name, $value) = $line =~ /^([^:]*): ?(.*)\z/ or die "no field: $line\n";
        $name = 'comment' if $name eq '';
        die "$name twice in an event\n" if exists $block{$name};
        $block{$name} = $value;
    }
    return \%block;
}

# The next event, without comments and the like; undef at the end of the stream.
sub event
{
    my ($self) = @_;
    while (my $block = $self->block) {
        return $block if defined $block->{event};
    }
    return;
}

# The next event, which must be a status: the run, with the event's id as its member "-id".
sub run
{
    my ($self) = @_;
    my $event = $self->event or die "the stream has ended\n";
    die "an event $event->{event}\n" if $event->{event} ne 'status';
    my $run = JSON::PP->new->utf8->decode($event->{data});
    $run->{-id} = $event->{id};
    return $run;
}

# The next event, which must be runs: its data as they are, and the event's id.
sub page
{
    my ($self) = @_;
    my $event = $self->event or die "the stream has ended\n";
    die "an event $event->{event}\n" if $event->{event} ne 'runs';
    return ($event->{data}, $event->{id});
}

# Reads on until a list for which CODE, given its runs, is true: all lists that were read, each with its
# event's id as "-id", and the last one.
sub pages_until
{
    my ($self, $code) = @_;
    my @pages;
    do {
        my ($data, $id) = $self->page;
        push @pages, JSON::PP->new->utf8->decode($data);
        $pages[-1]{-id} = $id;
    } until $code->(@{$pages[-1]{runs}});
    return @pages;
}

# Reads on until a run with that status: all runs that were read, and the last one.
sub runs_until
{
    my ($self, $status) = @_;
    my @runs;
    do { push @runs, $self->run } while $runs[-1]{status} ne $status;
    return @runs;
}

# Whether there is something to read, or the stream has ended, at the latest after SECONDS.
sub has_more
{
    my ($self, $seconds) = @_;
    return $self->{text} =~ /\n\n/ || $self->{client}->is_answered($seconds);
}

# Whether nothing is said for so long but comments, which come when it takes long.
sub is_silent
{
    my ($self, $seconds) = @_;
    my $deadline = time + $seconds;
    while ($self->has_more($deadline > time ? $deadline - time : 0)) {
        my $block = $self->block;
        return 0 if !$block || !exists $block->{comment};
    }
    return 1;
}

sub close { $_[0]{client}->close; return }

1;

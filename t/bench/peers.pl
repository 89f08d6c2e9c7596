#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The module beside others that do its job (WfPeer.pm): how fast they accept, how soon a program starts
# and its end is seen, how many run a second, what memory that takes, and what a crash leaves behind.
# Each is started anew for its turn of a round, so that none runs beside another.
#
#   peers.pl ROUNDS [NAME…]      names as in WfPeer<Name>.pm; all where none is said
use strict;
use warnings FATAL => 'all';
use IO::Select ();
use List::Util qw(max min);
use Time::HiRes qw(time);
use WfBench qw(load load_begin load_end median percentile row);
use WfPeer;

my $WARM        = 100;          # requests before anything is measured
my $POSTS       = 1000;         # as fast as they are answered; or for so long:
my $POST_TIME   = 4;
my $HELD_TIME   = 2;            # seconds, while nothing of it is executed
my $CONNECTIONS = 32;
my $RATE        = 50;           # a second, for first instructions
my $SECONDS     = 3;
my $ENDS        = 100;          # runs one after the other, until their ends are seen; or for so long:
my $END_SECONDS = 3;
my $POLL        = 0.001;        # seconds between two looks at a state
my $WAIT        = 10;           # seconds for which a system that can is asked to wait for an end
my $CRASH_RATE  = 1000;         # a second: more than programs can be run, so that some wait
my $CRASH_TIME  = 3;
my $KILL_AFTER  = 1;
my $PATIENCE    = 60;           # seconds for what must come
my $SETTLE_MOST = 90;           # seconds for what a crash has left

my ($rounds, @names) = @ARGV;
@names = qw(Ours Webhook Cgi Bullmq Pgboss Gearman) if !@names;
local $SIG{INT}  = sub { die "interrupted\n" };
local $SIG{TERM} = $SIG{INT};
my @peers = map { require "WfPeer$_.pm"; "WfPeer$_"->new } @names;

sub wait_until
{
    my ($peer, $is_so) = @_;
    my $deadline = time + $PATIENCE;
    until ($is_so->()) {
        die $peer->name, " does not do what was posted:\n", $peer->said if time > $deadline;
        WfPeer::pause(0.005);
    }
    return;
}

# Answers a second, from the first request to the last answer.
sub rate
{
    my (@answers) = @_;
    return @answers / (max(map { $_->[1] } @answers) - min(map { $_->[0] } @answers)) * 1e9;
}

# POSTs as fast as they are answered, until the last end is recorded.
sub burst
{
    my ($peer, $count) = @_;
    my $before = $peer->ended;
    my $begun = time;
    my @answers = load($peer->port, 'POST', $peer->post_path, most => $count, seconds => $POST_TIME,
        connections => $CONNECTIONS, after => $peer->after);
    wait_until($peer, sub { $peer->ended - $before >= @answers });
    my $took = time - $begun;
    return {
        accepted  => rate(@answers),
        completed => @answers / $took,
        latency   => [map { ($_->[1] - $_->[0]) / 1e6 } @answers],
    };
}

# The same where nothing is executed meanwhile, and nothing afterwards.
sub held
{
    my ($peer) = @_;
    my $path = $peer->hold // return {};
    return {held => rate(load($peer->port, 'POST', $path, seconds => $HELD_TIME, connections => $CONNECTIONS,
        after => $peer->after))};
}

# Milliseconds from a POST, and from its answer, to its program's first instruction, at an even rate.
sub starts
{
    my ($peer) = @_;
    my @answers = load($peer->port, 'POST', $peer->post_path, rate => $RATE, seconds => $SECONDS,
        connections => $CONNECTIONS, after => $peer->after);
    my $stamped;
    wait_until($peer, sub {
        $stamped = $peer->stamped;
        return !grep { !$stamped->{$_->[3]} } @answers;
    });
    return {
        sent     => [map { ($stamped->{$_->[3]}[0] - $_->[0]) / 1e6 } @answers],
        answered => [map { ($stamped->{$_->[3]}[0] - $_->[1]) / 1e6 } @answers],
    };
}

# Milliseconds from a POST until its end is seen by who asks, one after the other.
sub ends
{
    my ($peer) = @_;
    return {end => []} if !defined $peer->status_path('none');
    my $client = $peer->client;
    my ($until, @ends) = (time + $END_SECONDS);
    while (@ends < $ENDS && time < $until) {
        my $sent = time;
        my $answer = $client->request('POST', $peer->post_path, body => $WfBench::BODY, type => 'application/json');
        my ($id) = $answer->body =~ /\Q@{[$peer->after]}\E([^"]+)/ or die $peer->name, ': ', $answer->body, "\n";
        until ($peer->end_of($client->request('GET', $peer->status_path($id, $WAIT)))) {
            die $peer->name, ": run $id does not end\n" if time - $sent > $PATIENCE;
            WfPeer::pause($POLL);
        }
        push @ends, (time - $sent) * 1000;
    }
    return {end => \@ends};
}

# kill -9 of all of it under load. Of what was acknowledged: how many programs never ran, ran twice, and
# how many runs have no end that a client could see.
sub crash
{
    my ($peer) = @_;
    my $load = load_begin($peer->port, 'POST', $peer->post_path, rate => $CRASH_RATE, seconds => $CRASH_TIME,
        connections => $CONNECTIONS, after => $peer->after, lossy => 1);
    my $begun = time;
    WfPeer::pause(0.005) while time - $begun < $KILL_AFTER;
    $peer->kill_all;
    $peer->tend until IO::Select->new($load->{in})->can_read(0.01);
    my @answers = load_end($load);
    my @acknowledged = grep { $_->[2] >= 200 && $_->[2] < 300 } @answers;
    my ($stamped, $ends) = settle($peer, map { $_->[3] } @acknowledged);
    my @lost = grep { !$stamped->{$_->[3]} } @acknowledged;
    return {
        acknowledged => scalar @acknowledged,
        lost         => scalar @lost,
        told         => scalar(grep { ($ends->{$_->[3]} // 'completed') ne 'completed' } @lost),
        double       => scalar(grep { @{$stamped->{$_->[3]} // []} > 1 } @acknowledged),
        stuck        => scalar(grep { !$ends->{$_->[3]} } @acknowledged),
        silent       => longest_gap((map { $_->[1] } @acknowledged), max(map { $_->[1] } @answers)),
    };
}

# Milliseconds of the longest time between two answers, or from the last one to the end.
sub longest_gap
{
    my @times = sort { $a <=> $b } @_;
    return max(0, map { $times[$_] - $times[$_ - 1] } 1 .. $#times) / 1e6;
}

# Waits until each run has ended, or nothing more of them has been seen for as long as something could;
# gives the stamps and the ends by id.
sub settle
{
    my ($peer, @ids) = @_;
    my $sees_ends = defined $peer->status_path('none');
    my ($stamped, %ends, $client) = ({});
    my ($last, $until, $seen) = (time + $SETTLE_MOST, time + $peer->patience, 0);
    while (1) {
        $peer->tend;
        $stamped = $peer->stamped;
        my @open = grep { !($sees_ends ? $ends{$_} : $stamped->{$_}) } @ids;
        my $now_seen = keys(%{$stamped}) + keys(%ends);
        ($until, $seen) = (time + $peer->patience, $now_seen) if $now_seen > $seen;
        last if !@open || time > $until || time > $last;
        for my $id ($sees_ends ? @open : ()) {
            $client //= $peer->client;
            my $answer = eval { $client->request('GET', $peer->status_path($id)) };
            $client = undef if !$answer;
            my $end = $answer ? $peer->end_of($answer) : '';
            $ends{$id} = $end if $end ne '';
        }
        WfPeer::pause(0.1);
    }
    return ($stamped, \%ends);
}

sub turn
{
    my ($peer) = @_;
    my $begun = time;
    $peer->start;
    burst($peer, $WARM);
    my %figures = (%{burst($peer, $POSTS)}, %{starts($peer)}, %{ends($peer)});
    $figures{memory} = $peer->memory;
    $figures{crash} = crash($peer);
    %figures = (%figures, %{held($peer)});
    $peer->stop;
    printf STDERR "%s: %.0f s\n", $peer->name, time - $begun;
    return \%figures;
}

# Of each peer its rounds.
my %rounds;
for (1 .. $rounds) {
    push @{$rounds{$_}}, turn($peers[$_]) for 0 .. $#peers;
}

sub both
{
    my (@numbers) = @_;
    return if !@numbers;
    return {p50 => percentile(50, @numbers), p99 => percentile(99, @numbers)};
}

# What all rounds of a peer come to: medians of rates, percentiles of all times, sums of what was lost.
sub figures
{
    my (@turns) = @_;
    my $all = sub { my ($name) = @_; return map { @{$_->{$name}} } @turns };
    my %crash;
    for my $name (qw(acknowledged lost told double stuck)) {
        $crash{$name} += $_->{crash}{$name} for @turns;
    }
    return {
        (map { my $name = $_; ($name => median(map { $_->{$name} } @turns)) }
            grep { defined $turns[0]{$_} } qw(accepted held completed memory)),
        (map { ($_ => scalar both($all->($_))) } qw(latency sent answered end)),
        crash => {%crash, silent => median(map { $_->{crash}{silent} } @turns)},
    };
}

my $how = join '; ', "$rounds rounds, each system by itself in turn",
    "$POSTS POSTs over $CONNECTIONS connections or as many as in $POST_TIME s, and for $HELD_TIME s with nothing executed",
    "starts at $RATE/s for $SECONDS s", "ends of $ENDS runs or of $END_SECONDS s, one by one",
    "kill -9 after $KILL_AFTER of $CRASH_TIME s at $CRASH_RATE/s";
my @KEPT = qw(accepted held completed memory crash);
for my $i (0 .. $#peers) {
    my $peer = $peers[$i];
    row(
        kind      => 'peer',
        name      => $peer->name,
        versions  => $peer->versions,
        durable   => $peer->durable,
        settings  => $peer->settings,
        sees_ends => defined $peer->status_path('none') ? 1 : 0,
        how       => $how,
        figures   => figures(@{$rounds{$i}}),
        rounds    => [map { my $turn = $_; +{map { ($_ => $turn->{$_}) } @KEPT} } @{$rounds{$i}}],
    );
}

# The goals: a round's figure of ours by the round's of the best of those others that have it.
sub goal
{
    my ($name, $goal, $figure, @others) = @_;
    my ($ours) = grep { ref $peers[$_] eq 'WfPeerOurs' } 0 .. $#peers;
    @others = grep { defined $rounds{$_}[0]{$figure} } @others;
    return if !defined $ours || !@others;
    my $figures = sub { return map { $_->{$figure} } @{$rounds{$_[0]}} };
    my ($next) = sort { median($figures->($b)) <=> median($figures->($a)) } @others;
    my @pairs = map { $rounds{$ours}[$_]{$figure} / $rounds{$next}[$_]{$figure} } 0 .. $rounds - 1;
    row(name => $name, goal => $goal, value => median(@pairs), how => $how,
        rates => {ours => median($figures->($ours)), $peers[$next]->name => median($figures->($next))});
    return;
}

my @durable = grep { $peers[$_]->is_durable && ref $peers[$_] ne 'WfPeerOurs' } 0 .. $#peers;
my @cgi = grep { ref $peers[$_] eq 'WfPeerCgi' } 0 .. $#peers;
goal('durable POST run / the next durable peer, nothing executed', '>= 3', 'held', @durable);
goal('durable POST run / the next durable peer, while programs run', '-', 'accepted', @durable);
goal('exec runs/s end to end / a durable CGI program', '>= 1.5', 'completed', @cgi);

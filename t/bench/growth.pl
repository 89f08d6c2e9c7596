#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What each call of the store costs with few runs kept, with more, and with many. Each store is filled
# once, through its own calls; then all of them are alive, and are asked in turn.
#
#   growth.pl ROUNDS [RUNS]
use strict;
use warnings FATAL => 'all';
use File::Find qw(find);
use File::Path qw(remove_tree);
use IPC::Open2 qw(open2);
use Time::HiRes qw(time);
use WfBench qw(median program row state);

my ($rounds, $many) = @ARGV;
my @sizes = sort { $a <=> $b } keys %{{map { ($_ => 1) } 1000, 100_000, $many || 1_000_000}};
my $CALLS = 384;       # a round
my $CACHE = 64;        # megabytes: what is the default of DbsyncWfCacheSize
my $STARTS = 5;        # of each keeper after kill -9
my $BYTES_A_RUN = 1200;
my $folder = state('bench-growth');
my $KEPT = "$sizes[-1] runs kept / $sizes[0]";

my @stores;

# Also where this ends early: each store is ended, and its keeper with it, whose shared memory is left
# then.
local @SIG{qw(INT TERM HUP)} = (sub { exit 1 }) x 3;
END {
    local $?;
    for my $store (@stores) {
        kill 'TERM', $store->{pid};
        waitpid $store->{pid}, 0;
        my $memory = readlink "$store->{folder}/env" // next;
        remove_tree($memory, "$memory.new") if $memory =~ m{^/dev/shm/dbsync_wf-};
    }
    remove_tree($folder) if $folder;
}

# What a store answers to a command: name => number.
sub ask
{
    my ($store, $command) = @_;
    my %answer;
    print {$store->{to}} "$command\n";
    while (my $line = readline $store->{from}) {
        return \%answer if $line eq "done\n";
        my ($name, $number) = split ' ', $line;
        $answer{$name} = $number;
    }
    die "growth: the store with $store->{runs} runs has failed: $command\n";
}

sub bytes_in
{
    my ($store) = @_;
    my $bytes = 0;
    find(sub { $bytes += -s _ if -f }, "$store->{folder}/data");
    return $bytes;
}

sub begin
{
    my ($runs) = @_;
    my $store = {runs => $runs, folder => "$folder/$runs"};
    mkdir $store->{folder}, 0700 or die "$store->{folder}: $!\n";
    $store->{pid} = open2($store->{from}, $store->{to}, program('grow'), $store->{folder});
    $store->{to}->autoflush;
    push @stores, $store;
    my $begun = time;
    ask($store, "fill $runs");
    $store->{filled} = time - $begun;
    $store->{bytes} = bytes_in($store);
    $store->{keeper} = ask($store, "start $CACHE")->{process};
    return;
}

# Megabytes of a keeper's own memory.
sub memory_of
{
    my ($store) = @_;
    open my $in, '<', "/proc/$store->{keeper}/status" or die "/proc/$store->{keeper}/status: $!\n";
    my %kilobytes = map { /^(\w+):\s+(\d+) kB/ ? ($1 => $2) : () } <$in>;
    return $kilobytes{RssAnon} / 1024;
}

sub room_for
{
    my ($runs) = @_;
    my ($free) = (split ' ', (qx(df -Pk "$folder"))[-1])[3];
    die "growth: $runs runs need " . int($BYTES_A_RUN * $runs / 1e9) . " GB on the disk of $folder\n"
        if $free * 1024 < $BYTES_A_RUN * $runs;
    return;
}

sub restart
{
    my ($store, $how, $cache) = @_;
    ask($store, $how);
    my $answer = ask($store, "start $cache");
    $store->{keeper} = $answer->{process};
    return $answer->{start} / 1000;
}

# Megabytes of a cache that holds a store's tables.
sub fits
{
    my ($store) = @_;
    my $megabytes = int(1.1 * $store->{bytes} / 1024 ** 2) + 16;
    return $megabytes > $CACHE ? $megabytes : $CACHE;
}

# Megabytes of memory that nobody needs.
sub available
{
    open my $in, '<', '/proc/meminfo' or die "/proc/meminfo: $!\n";
    my ($kilobytes) = map { /^MemAvailable:\s+(\d+)/ ? $1 : () } <$in>;
    return $kilobytes / 1024;
}

# A row of the largest beside the smallest: name, unit, values by size (an array a round).
sub compare
{
    my ($name, $how, $goal, %values) = @_;
    my ($few, $most) = @values{@sizes[0, -1]};
    row(name => "$name, $KEPT", goal => $goal,
        value => median(map { $most->[$_] / $few->[$_] } 0 .. $#{$few}),
        rates => {map { ($_ => median(@{$values{$_}})) } @sizes}, how => $how);
    return;
}

sub measure
{
    my ($what, $cache, @stores) = @_;
    my %costs;
    for my $round (0 .. $rounds) {
        for my $store (@stores) {
            my $answer = ask($store, "calls $CALLS");
            next if $round == 0; # it warms what is asked for most
            push @{$costs{$_}{$store->{runs}}}, $answer->{$_} for keys %{$answer};
        }
    }
    compare("$_$what", "medians of up to $CALLS calls, microseconds, $rounds rounds, $cache", '<= 1.3', %{$costs{$_}})
        for sort keys %costs;
    return;
}

remove_tree($folder);
mkdir $folder, 0700 or die "$folder: $!\n";
room_for($sizes[-1]);
begin($_) for @sizes;
row(name => "fill of $sizes[-1] runs, runs/s", goal => '-', value => $stores[-1]{runs} / $stores[-1]{filled},
    rates => {seconds => $stores[-1]{filled}}, how => 'create, claim, finish or interrupt, durable batches of some 50 runs');
row(name => "bytes of tables a run, $sizes[-1] runs kept", goal => '-', value => $stores[-1]{bytes} / $stores[-1]{runs},
    rates => {megabytes => $stores[-1]{bytes} / 1024 ** 2}, how => 'after the fill');
measure('', "cache of $CACHE MB", @stores);
compare("keeper's memory beside the cache, MB", 'RssAnon', '-', map { ($_->{runs} => [memory_of($_)]) } @stores);

my %starts;
for (1 .. $STARTS) {
    for my $store (@stores) {
        ask($store, "calls $CALLS");
        push @{$starts{$store->{runs}}}, restart($store, 'kill', $CACHE);
    }
}
compare('start after kill -9', "until it answers, ms, $STARTS times", '<= 1.3', %starts);

# The same where all that is asked for lies in the cache.
if (available() > 1.5 * fits($stores[-1])) {
    for my $store (@stores) {
        restart($store, 'stop', fits($store));
        ask($store, 'read');
    }
    measure(', all in cache', 'caches which hold all, the largest ' . fits($stores[-1]) . ' MB', @stores);
} else {
    print STDERR "growth: this machine has no memory for a cache which holds $sizes[-1] runs\n";
}
ask($_, 'stop') for @stores;

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The keeper's durable creates, beside one process that appends as many bytes for as many clients and
# flushes them.
#
#   store.pl ROUNDS
use strict;
use warnings FATAL => 'all';
use File::Path qw(remove_tree);
use WfBench qw(median number_of program row state);

my ($rounds) = @ARGV;
my $SECONDS = 3;
my $CLIENTS = 64;
my $BYTES = 400;
my $PAYLOAD = 200;

sub fresh
{
    my $folder = state('bench-store');
    remove_tree($folder);
    mkdir $folder, 0700 or die "$folder: $!\n";
    return $folder;
}

my (@creates, @appends);
for (1 .. $rounds) {
    push @appends, number_of(program('ceiling'), 'append', fresh(), $BYTES, $CLIENTS, $SECONDS);
    push @creates, number_of(program('store'), fresh(), 'CREATE', $CLIENTS, $SECONDS, $PAYLOAD);
}
row(name => "keeper's durable creates / batched appends", goal => '>= 0.60',
    value => median(map { $creates[$_] / $appends[$_] } 0 .. $#creates),
    rates => {creates => median(@creates), appends => median(@appends)},
    how => "$CLIENTS clients over Unix sockets, $PAYLOAD bytes of body; appends of $BYTES bytes; $rounds rounds of $SECONDS s");

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The command line's manual page is well-formed, and it, --help and the program know the same commands,
# options and exit codes.
use strict;
use warnings FATAL => 'all';
use lib 'scripts/lib';
use Test::More;
use WfCli::Commands ();
use WfSource qw(read_file);

my $page = 'scripts/dbsync-wf.1';
my $found = qx(mandoc -T lint -W warning $page 2>&1);
is($? >> 8, 0, 'mandoc finds nothing') or diag($found);

my $manual = read_file($page) =~ s/\\-/-/gr =~ s/^\.\\".*\n//gmr;
my $help = qx(scripts/dbsync-wf --help);
is($?, 0, '--help');

my %command = %WfCli::Commands::COMMAND;
for my $name (sort keys %command, 'check') {
    like($help, qr/^  \Q$name\E /m, "$name is in --help");
    like($manual, qr/^\.It Cm \Q$name\E$/m, "$name is in the manual");
    next if !$command{$name};
    my @options = map { (split /[|=]/)[0] } @{$command{$name}{options} // []};
    for my $option ('json', 'url', @options) {
        my $long = $option eq 'data' ? '-d' : "--$option";
        like($help, qr/\Q$long\E\b/, "$name $long is in --help");
        like($manual, qr/Fl \Q@{[substr $long, 1]}\E\b/, "$name $long is in the manual");
    }
}
my %help = map { $_ => 1 } $help =~ /(?<![\w-])--([a-z][a-z-]+)/g;
my %manual = map { $_ => 1 } $manual =~ /Fl -([a-z][a-z-]+)/g;
is_deeply([sort keys %manual], [sort keys %help], 'both have the same options');
for my $code (WfCli::Exit::COMPLETED .. WfCli::Exit::UNREACHABLE, 130) {
    like($help, qr/\b$code\b/, "exit code $code is in --help");
    like($manual, qr/^\.It $code\b/m, "exit code $code is in the manual");
}

done_testing();

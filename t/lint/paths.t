#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Nothing in the tree depends on the machine it was written on.
use strict;
use warnings FATAL => 'all';
use Test::More;
use WfSource qw(files read_file);

my $places = join '|', map {"/$_/"} 'wo' . 'rk', 'ho' . 'me', 'ro' . 'ot', 'Us' . 'ers';
my @top = grep { -f && !-l } glob '*';
my $own = qr{^(?:configure|aclocal\.m4|Makefile\.in|config\.\w+|LICENSE)$};

for my $file (grep { $_ !~ $own } @top, files('mod_dbsync_wf', 'conf', 'scripts', 't')) {
    my @found = map {"$_->[0]: $_->[1]"} grep { $_->[1] =~ m{(?<![\w.])(?:$places)} }
        do { my $n = 0; map { [++$n, $_] } split /\n/, read_file($file) };
    is(scalar @found, 0, "$file names no place of one machine") or diag(join "\n", @found);
}

for my $file (grep { -x && !/\.\w+$/ } files('scripts')) {
    like(read_file($file), qr/\A#!\/usr\/bin\/env \w+\n/, "$file finds its interpreter by PATH");
}

done_testing();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The built module exports its record and nothing else. WF_MODULE names the file.
use strict;
use warnings FATAL => 'all';
use Test::More;

my $module = $ENV{WF_MODULE} or BAIL_OUT('WF_MODULE must name the built mod_dbsync_wf.so');
ok(-f $module, "$module is there");
open my $nm, '-|', 'nm', '-D', '--defined-only', $module or die "nm: $!\n";
my @symbols = map { (split)[-1] } <$nm>;
close $nm or die "nm failed\n";
is_deeply(\@symbols, ['dbsync_wf_module'], 'one symbol is exported');

done_testing();

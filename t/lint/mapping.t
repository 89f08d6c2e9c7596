#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# README.md, "Mapping", has every function of the mapping language and every letter of a date's
# pattern, and names no other.
use strict;
use warnings FATAL => 'all';
use Test::More;
use WfSource qw(files read_file);

my ($section) = read_file('README.md') =~ /^## Mapping\n(.*?)^## /ms;
ok($section, 'README.md has the section');
my ($table) = $section =~ /^\| function \|.*?\n(.*?)\n\n/ms;

my %functions;
for my $file (grep { m{/mapping_\w+\.c$} } files('mod_dbsync_wf/flow')) {
    my $code = read_file($file);
    for my $rows ($code =~ /^const wf_function_t wf_\w+_functions\[\] = \{(.*?)^\};/msg) {
        $functions{$_} = 1 for $rows =~ /^    \{"(\w+)", "/mg;
    }
}
cmp_ok(scalar keys %functions, '>=', 40, 'the code has functions');
for my $function (sort keys %functions) {
    like($section, qr/`\Q$function\E(?:\(|`)/, "README.md has $function");
}
my %named = map { $_ => 1 } $table =~ /\b([A-Z]{2,})\b(?=\(|`)/g;
is_deeply([grep { !$functions{$_} } sort keys %named], [], 'and names no other');

my ($letters) = read_file('mod_dbsync_wf/flow/datetime.c') =~ /LETTERS_READ "([^"]+)"/;
my ($patterns) = $section =~ /^(Patterns are .*?)\n\n/ms;
my %written = map { $_ => 1 } $patterns =~ /%(:z|\S)/g, $patterns =~ /%(\w)\b/g;
is_deeply([sort grep { $_ !~ /^[`,]$/ } keys %written], [sort split(//, $letters), ':z', 'j', 'u'],
    'README.md has every letter of a pattern');

done_testing();

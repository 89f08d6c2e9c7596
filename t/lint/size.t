#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Files of 500 lines and functions of 80 at most; each file begins with its licence, and then says
# what it is for; no unfinished work is left in.
use strict;
use warnings FATAL => 'all';
use Test::More;
use WfSource qw(files read_file sources);

my @units = grep {/\.[ch]$/} files('t/unit', 't/fuzz', 't/programs');
my @scripts = grep { !m{\.(?:json|in|conf|c|h|png)$|^t/fuzz/corpus/} } files('scripts', 't');

for my $file (sources(), @units) {
    my @lines = split /\n/, read_file($file), -1;
    pop @lines;
    cmp_ok(scalar @lines, '<=', 500, "$file has 500 lines at most");
    is($lines[0], '/* SPDX-License-Identifier: Apache-2.0 */', "$file begins with its licence");
    like($lines[1], qr{^/\*}, "$file says what it is for");
    is(join(' ', long_functions(@lines)), '', "$file has no function of more than 80 lines");
}

# A function begins with a brace in the first column and ends with one: the tree's style.
sub long_functions
{
    my (@lines) = @_;
    my ($start, @long);
    for my $i (0 .. $#lines) {
        $start = $i if $lines[$i] eq '{';
        if (defined $start && $lines[$i] eq '}') {
            push @long, sprintf '%d (%d lines)', $start + 1, $i - $start + 1 if $i - $start + 1 > 80;
            $start = undef;
        }
    }
    return @long;
}

for my $file (@scripts) {
    my @lines = split /\n/, read_file($file);
    cmp_ok(scalar @lines, '<=', 500, "$file has 500 lines at most");
    ok((grep {/SPDX-License-Identifier: Apache-2\.0/} @lines[0 .. 1]), "$file names its licence")
        if $file =~ m{^scripts/|\.(?:t|pm|pl|PL|c|h)$};
}

my $unfinished = join '|', 'TO' . 'DO', 'FIX' . 'ME', 'X' x 3, 'HA' . 'CK';
for my $file (sources(), @units, @scripts) {
    my @found = grep { read_file($file) =~ /\b(?:$unfinished)\b/ } 1;
    is(scalar @found, 0, "$file has nothing unfinished in it");
}

done_testing();

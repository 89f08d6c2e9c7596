#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# {{…}} in a program's arguments: paths into the body, VALUE(), array indexes, ~0 and ~1, null for what
# is not there; functions and operators, and an expression that fails.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $body = <<'END';
{"text": "plain \u00e9", "address": {"lineOne": "123 Main Street"},
 "items": [{"sku": "a"}, {"sku": "b"}], "odd/name": "slash", "tilde~name": "tilde",
 "object": {"b":  [1, 2]}, "number": 123456789012345678901234567890.10, "flag": true, "none": null}
END
is(run_ends_as('every kind of path', 'completed', 'args', $body)->{result},
    join('', map {"[$_]"} "plain \x{e9}", '123 Main Street', 'b', 'slash/tilde', '', '{"b":  [1, 2]}',
        '123456789012345678901234567890.10', 'true', '', "plain \x{e9}"),
    'each argument is what its expression names');

my @mixed = (
    ['{"a": "x", "b": ["y", {"c": "z"}]}', '<x|y|z>'],
    ['{"a": 1, "b": [true, {"c": [1, 2]}]}', '<1|true|[1, 2]>'],
    ['{"a": null, "b": {"0": "member", "1": {"c": "d"}}}', '<|member|d>'],
    ['{"b": ["y"]}', '<|y|>'],
    ['{"a": "first", "a": "last", "b": []}', '<last||>'],
    ['{"a": "{{b/0}}", "b": ["no"]}', '<{{b/0}}|no|>'],
    ['{"\u0061": "escaped name", "b": [""]}', '<escaped name||>'],
    ['[1, 2]', '<||>'],
    ['"text"', '<||>'],
    ['null', '<||>'],
    ['7', '<||>'],
);
for my $case (@mixed) {
    my ($json, $expected) = @{$case};
    is(run_ends_as("text around, of $json", 'completed', 'mixed', $json)->{result}, $expected,
        "gives $expected");
}

# Functions and operators, numbers exact, the letters of any server's locale.
is(run_ends_as('functions', 'completed', 'functions',
        '{"name": "Ren\u00e9e", "price": 12345678901234567890.10, "count": "2", "date": "2026-11-24",'
            . ' "in": [{"deep": "found"}]}')->{result},
    "[REN\x{c9}E, 24691357802469135780.2][found][24.11.2026][true]", 'give what they compute');
my $failed = run_ends_as('an expression that fails', 'error', 'functions',
    '{"name": "x", "price": "12,5", "count": 2}');
is($failed->{error}{type}, 'mapping-failed', 'is an error of the mapping');
is($failed->{error}{detail}, 'in {{price * count}}: * needs a number, not the text "12,5"',
    'that names the expression and what is wrong');

# No argument can hold a NUL: the run says so, and no program sees a text cut short.
my $run = run_ends_as('a NUL in an argument', 'error', 'mixed', '{"a": "x\u0000y"}');
is($run->{error}{type}, 'mapping-failed', 'is an error of the mapping');

done();

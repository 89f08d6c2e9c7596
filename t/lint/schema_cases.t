#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What t/unit/schema says of schemas and bodies, held against a validator (Debian's
# python3-jsonschema), so that what our own is tested with is JSON Schema. Cases that are "beyond" it
# are left out: numbers that Python cannot hold, regular expressions that mean something else there,
# and what Debian's version has wrong of unevaluatedProperties.
use strict;
use warnings FATAL => 'all';
use Test::More;

my $validator = <<'END';
import json, sys
from jsonschema import Draft202012Validator
for name in sys.argv[1:]:
    cases = 0
    for case in json.load(open(name, encoding='utf-8')):
        if 'refused' in case or case.get('beyond'):
            continue
        validator = Draft202012Validator(case['schema'])
        bodies = [(body, True) for body in case.get('valid', [])]
        bodies += [(row[0], False) for row in case.get('invalid', [])]
        for body, expected in bodies:
            cases += 1
            if validator.is_valid(body) != expected:
                print('wrong', name, json.dumps(case['schema']), json.dumps(body), expected)
    print('cases', name, cases)
END

my @files = glob 't/unit/schema/*.json';
open my $out, '-|', '/usr/bin/python3', '-c', $validator, @files or die "python3: $!\n";
my @lines = <$out>;
ok(close $out, 'the validator ended well') or BAIL_OUT('is python3-jsonschema installed?');
chomp @lines;
is(join("\n", grep {/^wrong /} @lines), '', 'both say the same of every case');
is(scalar(grep {/^cases /} @lines), scalar @files, 'all files were read');
my $count = 0;
$count += $_ for map {/^cases \S+ (\d+)$/} @lines;
cmp_ok($count, '>', 250, 'and there are many cases');

done_testing();

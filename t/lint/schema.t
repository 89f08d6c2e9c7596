#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# conf/project.schema.json, held against a validator (Debian's python3-jsonschema): it is a schema; all
# project files that the server loads are valid by it; those that the server refuses are not, except
# for what no schema can say.
use strict;
use warnings FATAL => 'all';
use Test::More;

# What the server alone can tell: names that lead nowhere, expressions, texts of files.
my %beyond = map {("t/unit/projects/broken/$_.json" => 1)} qw(
    api-schema
    concurrency-fraction duplicate mapping nul-escape other-id
);

my $validator = <<'END';
import json, re, sys
from jsonschema import Draft202012Validator
schema = json.load(open('conf/project.schema.json', encoding='utf-8'))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
print('schema')
for name in sys.argv[1:]:
    try:
        text = open(name, encoding='utf-8').read()
        # What the tests put in place.
        project = json.loads(re.sub('@[A-Z_]+_PORT@', '1', text.replace('@T_DIR@', '/t')))
    except (ValueError, UnicodeDecodeError):
        print('text', name)
        continue
    errors = sorted(validator.iter_errors(project), key=lambda error: len(error.absolute_path))
    if errors:
        print('invalid', name, list(errors[0].absolute_path), errors[0].message.replace('\n', ' ')[:200])
    else:
        print('valid', name)
END

my @good = map {glob} 'conf/projects/*.json', 't/conf/projects/*.json', 't/unit/projects/good/*.json';
my @broken = glob 't/unit/projects/broken/*.json';
open my $out, '-|', '/usr/bin/python3', '-c', $validator, @good, @broken or die "python3: $!\n";
my @lines = <$out>;
my $ended = close $out;
chomp @lines;
is(shift @lines, 'schema', 'it is a schema') or BAIL_OUT('is python3-jsonschema installed?');
ok($ended, 'the validator ended well');
my %said = map { (split)[1] => $_ } @lines;
like($said{$_}, qr/^valid /, "$_ is valid") for @good;
for my $file (@broken) {
    my $expected = $beyond{$file} ? qr/^(?:valid|text) / : qr/^(?:invalid|text) /;
    like($said{$file}, $expected, "$file is " . ($beyond{$file} ? 'beyond a schema' : 'refused'));
}

done_testing();

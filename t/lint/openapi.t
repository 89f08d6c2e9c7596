#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# mod_dbsync_wf/http/openapi.json: it is an OpenAPI 3.1 document; its references lead somewhere, its examples
# are valid by its schemas; and it has the endpoints, methods and problems that the code has, and no others.
use strict;
use warnings FATAL => 'all';
use Test::More;

open my $out, '-|', '/usr/bin/python3', 't/programs/openapi_check.py', 'tree' or die "python3: $!\n";
my @lines = <$out>;
my $ended = close $out;
chomp @lines;
ok($ended, 'the check ended well');
is(pop @lines // '', 'done', 'and is complete') or BAIL_OUT('is python3-jsonschema installed?');
cmp_ok(scalar @lines, '>', 60, 'it has looked at much');
for my $line (@lines) {
    my ($failed, $name) = $line =~ /^(not )?ok (.*)$/ or die "what is this: $line\n";
    ok(!$failed, $name);
}

done_testing();

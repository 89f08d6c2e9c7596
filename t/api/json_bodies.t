#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Any JSON value (RFC 8259, UTF-8) is a body, and reaches the program byte for byte; what is none is
# refused with the line and the column at which it stops being JSON.
use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha256_hex);
use WfTest;

my @valid = (
    ['an object', '{"name": "John Doe", "address": {"lineOne": "123 Main Street"}}'],
    ['an empty object', '{}'],
    ['an array', '[1, [2, []], {"a": [null]}]'],
    ['an empty array', '[]'],
    ['a string', '"text"'],
    ['an empty string', '""'],
    ['a number', '42'],
    ['zero', '0'],
    ['minus zero', '-0'],
    ['a number with all its parts', '-12.5e+10'],
    ['true', 'true'],
    ['false', 'false'],
    ['null', 'null'],
    ['an integer beyond 64 bits', '123456789012345678901234567890123456789012345678901234567890'],
    ['a number beyond a double', '1e400'],
    ['a number of 1,000 digits', '9' x 1000],
    ['many decimals', '0.1000000000000000055511151231257827021181583404541015625'],
    ['duplicate members', '{"a": 1, "a": 2, "a": {"a": 1, "a": 1}}'],
    ['\u0000 in a string', '"a\u0000b"'],
    ['\u0000 in a name', '{"\u0000": "\u0000", "a\u0000": 1}'],
    ['a lone surrogate escape', '"\ud800"'],
    ['an empty name', '{"": {"": 1}}'],
    ['all the escapes', '"\"\\\\\/\b\f\n\r\t\u00e9\ud83d\ude00"'],
    ['an escaped slash, kept as it is', '"a\/b"'],
    ['UTF-8 of 1 to 4 bytes', "\"e\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""],
    ['U+FFFF and U+10FFFF', "\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\""],
    ['U+2028 and DEL as they are', "\"\xe2\x80\xa8\x7f\""],
    ['white space around and between', " \t\r\n{ \"a\" :\n[ 1 ,\t2 ] }\r\n\r\n"],
    ['a newline at the end', "1\n"],
    ['512 arrays deep', '[' x 512 . ']' x 512],
    ['a string of 100,000 characters', '"' . 'x' x 100_000 . '"'],
);
my @runs = map { [@{$_}, post_run('hash', $_->[1])] } @valid;
for my $run (@runs) {
    my ($name, $json, $pid) = @{$run};
    is(run_end($pid)->{result}, sha256_hex($json) . "  -\n", "$name: arrives byte for byte");
}

# What comes back as a result is the text as the program wrote it, no number rounded, no member lost.
for my $json ('123456789012345678901234567890', '{"a":1,"a":2}', '"a\u0000\/b"', '-0', '1e400', 'null') {
    my $pid = run_end(post_run('echo', $json))->{pid};
    like(api('GET', "/status/$pid")->body, qr/"result": ?\Q$json\E[,}]/, "a result of $json as it is");
}

my @invalid = (
    # name, body, line, column
    ['nothing', '', 1, 1],
    ['white space alone', " \n ", 2, 2],
    ['an open object', '{', 1, 2],
    ['an open array', '[1', 1, 3],
    ['an open string', '"abc', 1, 5],
    ['a missing value', '{"a": }', 1, 7],
    ['a missing colon', '{"a" 1}', 1, 6],
    ['a comma at the end of an object', '{"a": 1,}', 1, 9],
    ['a comma at the end of an array', '[1,]', 1, 4],
    ['a comma alone', '[,]', 1, 2],
    ['a name without quotes', '{a: 1}', 1, 2],
    ['a name in single quotes', "{'a': 1}", 1, 2],
    ['a number for a name', '{1: 1}', 1, 2],
    ['two values', '1 2', 1, 3],
    ['a bracket too many', '[1]]', 1, 4],
    ['a bracket of the other kind', '[1}', 1, 3],
    ['a leading zero', '01', 1, 2],
    ['a plus sign', '+1', 1, 1],
    ['a point without digits', '1.', 1, 3],
    ['a point first', '.5', 1, 1],
    ['an exponent without digits', '1e', 1, 3],
    ['a minus alone', '-', 1, 2],
    ['hexadecimal', '0x10', 1, 2],
    ['NaN', 'NaN', 1, 1],
    ['Infinity', '-Infinity', 1, 2],
    ['a word cut short', 'tru', 1, 1],
    ['a word too long', 'nulls', 1, 5],
    ['True', 'True', 1, 1],
    ['a comment', '1 // one', 1, 3],
    ['a control character in a string', "\"a\nb\"", 1, 3],
    ['a NUL byte', "\"a\0b\"", 1, 3],
    ['a NUL byte after the value', "1\0", 1, 2],
    ['an unknown escape', '"\x41"', 1, 3],
    ['a short \u', '"\u12"', 1, 6],
    ['a \u that is no number', '"\u12g4"', 1, 6],
    ['a byte order mark', "\xef\xbb\xbf{}", 1, 1],
    ['UTF-16', "\xff\xfe{\0}\0", 1, 1],
    ['a byte that is no UTF-8', "\"ab\xff\"", 1, 4],
    ['UTF-8 cut short', "\"a\xc3\"", 1, 3],
    ['UTF-8 that is too long', "\"\xc0\xaf\"", 1, 2],
    ['a surrogate as UTF-8', "\"\xed\xa0\x80\"", 1, 2],
    ['beyond U+10FFFF', "\"\xf4\x90\x80\x80\"", 1, 2],
    ['Latin-1', "\"caf\xe9\"", 1, 5],
    ['the third line', "{\"a\": 1,\n \"b\": 2,\n  oops}", 3, 3],
    ['a column counts characters', "[\"\xc3\xa9\xf0\x9f\x98\x80\", x]", 1, 8],
    ['CR LF is one line end', "[\r\n1,\r\n,]", 3, 1],
    ['deeper than 512', '[' x 513 . ']' x 513, 1, 513],
);
for my $case (@invalid) {
    my ($name, $json, $line, $column) = @{$case};
    my $answer = api('POST', '/projects/600/tasks/noop/run?trigger=API', json => $json);
    is_problem($answer, 400, 'invalid-json', $name);
    my $problem = eval { $answer->json } // {};
    is($problem->{line}, $line, "$name: line");
    is($problem->{column}, $column, "$name: column");
    like($problem->{detail}, qr/^Line $line, column $column: \w.*\.$/, "$name: the detail says so too");
}

done();

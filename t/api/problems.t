#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Every status under the base that is no success is a problem document (RFC 9457), whoever found it.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $run = '/projects/600/tasks/noop/run?trigger=API';
my @json = (type => 'application/json');
my $most = 1 << 20;
my $fits = '"' . 'x' x ($most - 2) . '"';

# Content types (RFC 8259, 11; RFC 6839, 3.1).
rows(
    ['no content type', ['POST', $run, body => '{}'], 415, problem => 'unsupported-media-type',
        detail => qr{application/json}],
    map({ ["type $_", ['POST', $run, body => '{}', type => $_], 415,
        problem => 'unsupported-media-type'] }
        'text/plain', 'text/json', 'application/xml', 'application/jsonp', 'application', 'json',
        'application/json; charset=iso-8859-1', 'application/json-seq', 'application/+json',
        'application/x-www-form-urlencoded'),
    map({ ["type $_", ['POST', $run, body => '{}', type => $_], 202] }
        'application/json', 'application/json; charset=utf-8', 'Application/JSON',
        'application/json;charset="UTF-8"', 'application/cloudevents+json', 'application/json;'),
);

# Sizes.
rows(
    ['neither a length nor chunks', ['POST', $run, @json], 411, problem => 'length-required'],
    ['as large as allowed', ['POST', $run, json => $fits], 202],
    ['as large as allowed, chunked', ['POST', $run, @json, chunks => [unpack '(a100000)*', $fits]], 202],
    ['a byte more', ['POST', $run, json => "$fits "], 413, problem => 'body-too-large',
        detail => qr/1048576|1 ?Mi?B/],
    ['a byte more, chunked', ['POST', $run, @json, chunks => [unpack '(a100000)*', "$fits "]], 413,
        problem => 'body-too-large'],
    ['a length that is announced', ['POST', $run, @json, body => '', length => $most + 1], 413,
        problem => 'body-too-large'],
    ['a length that is no number', ['POST', $run, @json, body => '{}', length => '2x'], 400,
        problem => 'bad-request'],
    ['64 bytes where 64 are allowed', ['POST', $run, base => '/small', json => '"' . 'x' x 62 . '"'],
        202],
    ['65 bytes', ['POST', $run, base => '/small', json => '"' . 'x' x 63 . '"'], 413,
        problem => 'body-too-large', detail => qr/\b64\b/],
    ['65 bytes, chunked', ['POST', $run, base => '/small', @json,
        chunks => ['"', 'x' x 63, '"']], 413, problem => 'body-too-large'],
    ['too large goes before no JSON', ['POST', $run, base => '/small', json => '{' x 65], 413,
        problem => 'body-too-large'],
);

# After any refusal the connection is still in step, or closed; never out of step.
my $client = client(keep => 1);
for my $option ({type => 'text/plain', body => '{}'}, {@json, body => '{'},
    {@json, body => '"' . 'x' x 200_000 . '"', base => '/small'}, {@json, chunks => ['x' x 100, 'y']})
{
    my %option = %{$option};
    my $base = delete $option{base} // '/cw/api/v2';
    my $refused = $client->request('POST', "$base$run", %option);
    cmp_ok($refused->status, '>=', 400, 'refused');
    my $next = $client->request('POST', "/cw/api/v2$run", body => '{}', @json);
    is($next->status, 202, 'and the next request on that connection is understood');
}

# What httpd itself refuses, before the handler is asked.
my $pid = run_ends_as('a run to ask for', 'completed', 'noop')->{pid};
my @is_document = (headers => {'Content-Type' => 'application/problem+json'});
rows(
    ['an encoded slash', ['GET', '/status%2f12'], 404, @is_document],
    ['a broken escape in the path', ['GET', '/status/%zz'], 400, @is_document],
    ['a header without a name', ['GET', "/status/$pid", headers => {'' => 'x'}], 400, @is_document],
    ['a transfer coding that nobody knows', ['POST', $run, @json, body => '1',
        headers => {'Transfer-Encoding' => 'compress'}], 400, @is_document],
);

# A document's form; nothing else is sent with it.
my $problem = api('GET', '/status/nothing')->json;
is_deeply([sort keys %{$problem}], [qw(detail status title type)], 'its members');
is(api('HEAD', '/status/nothing')->body, '', 'HEAD has the status alone');
is(api('HEAD', '/status/nothing')->status, 404, 'which is the same');

done(qr{AH10244: invalid URI path \(/cw/api/v2/status/%zz\)});

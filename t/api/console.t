#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /console/: the page's files, byte for byte, with the headers that keep others out of it, to those alone
# whom httpd has authenticated.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    . "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    . "trusted-types 'none'";
my %headers = (
    'Content-Security-Policy'      => $policy,
    'X-Content-Type-Options'       => 'nosniff',
    'Referrer-Policy'              => 'no-referrer',
    'Cross-Origin-Opener-Policy'   => 'same-origin',
    'Cross-Origin-Resource-Policy' => 'same-origin',
    'Cache-Control'                => 'private, no-cache',
    'Content-Encoding'             => undef,
);
my @files = (
    ['/console/', 'index.html', 'text/html; charset=utf-8'],
    ['/console/console.css', 'console.css', 'text/css; charset=utf-8'],
    ['/console/console.js', 'console.js', 'text/javascript; charset=utf-8'],
    ['/console/icon.svg', 'icon.svg', 'image/svg+xml'],
);

for my $row (@files) {
    my ($path, $file, $type) = @{$row};
    open my $in, '<:raw', "mod_dbsync_wf/console/$file" or die "$file: $!\n";
    my $text = do { local $/ = undef; <$in> };
    my $answer = api('GET', $path);
    is($answer->status, 200, $path);
    ok($answer->body eq $text, "$path: it is the one of the tree");
    my $etag = $answer->header('ETag');
    like($etag, qr/^"\w+"$/, "$path: it has an entity tag");
    my %all = (%headers, 'ETag' => $etag);
    rows(
        ["$path: its headers", ['GET', $path], 200,
            headers => {%all, 'Content-Type' => $type, 'Content-Length' => length $text}],
        ["$path: HEAD", ['HEAD', $path], 200, empty => 1, headers => {%all, 'Content-Type' => $type}],
        ["$path: what has not changed", ['GET', $path, headers => {'If-None-Match' => $etag}], 304, empty => 1,
            headers => \%all],
        ["$path: what has", ['GET', $path, headers => {'If-None-Match' => '"x"'}], 200],
        ["$path: another base has the same", ['GET', $path, base => '/api/v2',
            headers => {'If-None-Match' => $etag}], 304, empty => 1],
        ["$path: no part of it", ['GET', $path, headers => {'Range' => 'bytes=0-3'}], 200],
        ["$path: POST", ['POST', $path, json => '{}'], 405, problem => 'method-not-allowed',
            headers => {'Allow' => 'GET, HEAD, OPTIONS'}],
        ["$path: without credentials", ['GET', $path, user => undef], 401, problem => 'unauthorized'],
        ["$path: where nobody is asked for any", ['GET', $path, base => '/open'], 403,
            problem => 'authentication-not-configured'],
    );
}

rows(
    ['without the slash', ['GET', '/console'], 308, empty => 1, headers => {'Location' => '/cw/api/v2/console/'}],
    ['without the slash, at another base', ['HEAD', '/console?x', base => '/api/v2'], 308, empty => 1,
        headers => {'Location' => '/api/v2/console/'}],
    ['without the slash and credentials', ['GET', '/console', user => undef], 401, problem => 'unauthorized'],
    map { ["there is no $_", ['GET', $_], 404, problem => 'not-found'] }
        '/console/index.html', '/console/console', '/console/x', '/console/console.js/',
        '/Console/', '/consoles', '/console/Console.js',
);

done(qr/WF0316: a request was refused because httpd did not authenticate it/);

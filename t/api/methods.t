#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A method that an endpoint does not have is answered 405 with Allow; a path that is none, 404.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $pid = run_ends_as('a run to ask for', 'completed', 'noop')->{pid};
my %allow = (
    '/projects/600/tasks/noop/run?trigger=API' => 'POST, OPTIONS',
    '/project/600/task/noop/run?trigger=API'   => 'POST, OPTIONS',
    "/status/$pid"                              => 'GET, HEAD, OPTIONS',
    "/status/$pid/events"                       => 'GET, HEAD, OPTIONS',
    "/interrupt/$pid"                           => 'GET, HEAD, POST, OPTIONS',
    '/runs'                                     => 'GET, HEAD, OPTIONS',
    '/runs/events'                              => 'GET, HEAD, OPTIONS',
    '/statistics'                               => 'GET, HEAD, OPTIONS',
    "/logs/$pid"                                => 'GET, HEAD, OPTIONS',
    '/openapi.json'                             => 'GET, HEAD, OPTIONS',
    '/projects'                                 => 'GET, HEAD, OPTIONS',
    '/projects/600'                             => 'GET, HEAD, OPTIONS',
    '/project/600'                              => 'GET, HEAD, OPTIONS',
    '/projects/600/tasks/noop'                  => 'GET, HEAD, OPTIONS',
    '/project/600/task/noop'                    => 'GET, HEAD, OPTIONS',
    '/metrics'                                  => 'GET, HEAD, OPTIONS',
);

for my $path (sort keys %allow) {
    my %allowed = map { $_ => 1 } split /, /, $allow{$path};
    for my $method (qw(GET HEAD POST PUT DELETE PATCH TRACE PROPFIND BREW)) {
        next if $allowed{$method};
        my @body = $method =~ /^(?:POST|PUT|PATCH)$/ ? (json => '{}') : ();
        rows(["$method $path", [$method, $path, @body], 405,
            headers => {'Allow' => $allow{$path}},
            $method eq 'HEAD' ? (empty => 1) : (problem => 'method-not-allowed')]);
    }
    rows(["OPTIONS $path", ['OPTIONS', $path], 200, empty => 1, headers => {'Allow' => $allow{$path}}]);
}

for my $path ('', '/', '/projects/', '/project', '/projects/600/tasks', '/projects/600/tasks/noop/run/',
    '/statistics/', '/projects//tasks/noop/run', '/projects/600/task/noop/run', '/Projects/600/tasks/noop/run',
    '/run', '/metrics/', '/runs/', '/runs/x', '/runs/events/', '/status', '/x') {
    rows(["GET $path", ['GET', $path], 404, problem => 'not-found']);
    rows(["POST $path", ['POST', "$path?trigger=API", json => '{}'], 404, problem => 'not-found']);
}

# Beyond the base there is nothing of ours.
my $answer = api('GET', '/cw/api/v2x/status/' . $pid, base => '');
is($answer->status, 404, 'a longer name than the base');
unlike($answer->header('Content-Type') // '', qr/problem/, 'is answered by httpd');

done();

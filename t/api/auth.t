#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Authentication is httpd's own: without credentials every endpoint answers 401, and where the
# configuration forgot authentication every endpoint refuses and the error log says why.
use strict;
use warnings FATAL => 'all';
use WfAudit;
use WfConfig qw(server_var);
use WfTest;

my $pid = run_ends_as('a run to ask for', 'completed', 'noop')->{pid};
my $json = '{"secret": 1}';
my @endpoints = (
    ['POST', '/projects/600/tasks/noop/run?trigger=API', json => $json],
    ['POST', '/project/600/task/noop/run?trigger=API', json => $json],
    ['GET', "/status/$pid"],
    ['GET', "/status/$pid/events"],
    ['GET', "/interrupt/$pid"],
    ['POST', "/interrupt/$pid"],
    ['GET', '/runs'],
    ['GET', '/runs/events'],
    ['GET', '/statistics'],
    ['GET', "/logs/$pid"],
    ['GET', '/openapi.json'],
    ['GET', '/projects'],
    ['GET', '/projects/600'],
    ['GET', '/projects/600/tasks/noop'],
    ['GET', '/metrics'],
    ['GET', '/no/such/endpoint'],
    ['DELETE', "/status/$pid"],
    ['OPTIONS', "/status/$pid"],
    ['TRACE', "/status/$pid"],
);

for my $base ('/cw/api/v2', '/api/v2') {
    for my $request (@endpoints) {
        my ($method, $path, @option) = @{$request};
        my $name = "$method $base$path";
        rows(
            ["$name without credentials", [$method, $path, @option, base => $base, user => undef],
                401, problem => 'unauthorized',
                headers => {'WWW-Authenticate' => qr/^Basic realm="DBSync workflows"/}],
            ["$name with a wrong password", [$method, $path, @option, base => $base,
                password => 'wrong'], 401, problem => 'unauthorized'],
            ["$name as an unknown user", [$method, $path, @option, base => $base, user => 'mallory',
                password => 'x'], 401, problem => 'unauthorized'],
        );
    }
}
rows(['HEAD without credentials', ['HEAD', "/status/$pid", user => undef], 401, empty => 1]);

my $audit = WfAudit->new(server_var('t_logs') . '/audit_log');

# No Require at all; "Require all granted" beside AuthType; with credentials or without.
for my $base ('/open', '/granted') {
    for my $request (@endpoints) {
        my ($method, $path, @option) = @{$request};
        rows(
            ["$method $base$path", [$method, $path, @option, base => $base, user => undef], 403,
                problem => 'authentication-not-configured'],
            ["$method $base$path with credentials", [$method, $path, @option, base => $base], 403,
                problem => 'authentication-not-configured'],
        ) if $base eq '/open';
        rows(["$method $base$path", [$method, $path, @option, base => $base, user => undef], 403,
            problem => 'authentication-not-configured']) if $base eq '/granted';
    }
}
log_has(qr/\[dbsync_wf:error\].*WF\d{4}:.*(?:authenticat|Require)/i, 'the error log says what is missing');

# Each of them is in the audit log: two on the first base, one on the second.
my @told = grep { $_->{outcome} eq 'authentication-not-configured' && !exists $_->{user} }
    $audit->take(3 * @endpoints);
is(scalar @told, 3 * @endpoints, 'the audit log tells of them');

# Nothing was started by any of those.
is(run_get($pid)->{status}, 'completed', 'the credentials are still good');

done(
    qr/AH01618: user mallory not found/,
    qr/AH01617: user alice: authentication failure/,
    qr/\[dbsync_wf:error\].*WF\d{4}:.*(?:authenticat|Require)/i,
);

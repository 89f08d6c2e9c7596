#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Vhosts are separate worlds. Problem documents win over a vhost's own error pages.
use strict;
use warnings FATAL => 'all';
use WfTest;

my @other = (other => 1);
my $here = post_run('long');
my $there = post_run('long', '{}', @other);
my $run = '/projects/600/tasks/noop/run?trigger=API';

for my $pair ([$here, 'here', []], [$there, 'there', \@other]) {
    my ($pid, $name, $own) = @{$pair};
    my $foreign = @{$own} ? [] : \@other;
    rows(
        ["$name: its own vhost knows it", ['GET', "/status/$pid", @{$own}], 200, run => {pid => $pid}],
        ["$name: the other does not", ['GET', "/status/$pid", @{$foreign}], 404,
            problem => 'unknown-run'],
        ["$name: nor does it interrupt", ['POST', "/interrupt/$pid", @{$foreign}], 404,
            problem => 'unknown-run'],
        ["$name: its own does", ['POST', "/interrupt/$pid", @{$own}], 202],
    );
    is(run_end($pid, @{$own})->{status}, 'interrupted', "$name: ends");
}

# Each of these has an ErrorDocument in that vhost.
rows(
    ['a 400', ['POST', '/projects/600/tasks/noop/run', json => '1', @other], 400,
        problem => 'invalid-trigger'],
    ['a 400 for a body', ['POST', $run, json => '{', @other], 400, problem => 'invalid-json'],
    ['a 401', ['POST', $run, json => '1', @other, user => undef], 401, problem => 'unauthorized'],
    ['a 403', ['GET', "/status/$there", @other, base => '/open'], 403,
        problem => 'authentication-not-configured'],
    ['a 404', ['GET', '/no/such/endpoint', @other], 404, problem => 'not-found'],
    ['a 405', ['PUT', $run, json => '1', @other], 405, problem => 'method-not-allowed'],
    ['a 413', ['POST', $run, type => 'application/json', body => '', length => 2_000_000, @other], 413,
        problem => 'body-too-large'],
    ['a 415', ['POST', $run, body => '1', type => 'text/plain', @other], 415,
        problem => 'unsupported-media-type'],
);

# Outside of the module that vhost's error pages are its own.
is(api('GET', '/nothing/here', base => '', @other)->body, api('GET', '/', base => '', @other)->body,
    'elsewhere an ErrorDocument is what it was');

done(qr/\[dbsync_wf:error\].*WF\d{4}:.*(?:authenticat|Require)/i);

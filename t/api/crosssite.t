#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What another site makes a browser send changes nothing: an interrupt that the browser marks as
# cross-site or as a prefetch is refused, and a run needs a content type that no form can send.
use strict;
use warnings FATAL => 'all';
use WfTest;

my $pid = post_run('long');
wait_for('the run to start', 10, sub { run_get($pid)->{status} eq 'running' });

my @refused = (
    {'Sec-Fetch-Site' => 'cross-site'},
    {'Sec-Fetch-Site' => 'same-site'},
    {'Sec-Purpose' => 'prefetch'},
    {'Sec-Purpose' => 'prefetch;prerender'},
    {'Sec-Fetch-Site' => 'none', 'Sec-Purpose' => 'prefetch'},
);
for my $headers (@refused) {
    my $name = join ', ', map {"$_: $headers->{$_}"} sort keys %{$headers};
    for my $method ('GET', 'POST') {
        rows(["$method interrupt, $name", [$method, "/interrupt/$pid", headers => $headers], 403,
            problem => 'cross-site']);
    }
}
is(run_get($pid)->{status}, 'running', 'the run goes on');
ok(!exists run_get($pid)->{interruptTime}, 'nobody asked it to end');

my $run = '/projects/600/tasks/noop/run?trigger=API';
for my $type ('application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain') {
    rows(["a form's $type", ['POST', $run, body => '{}', type => $type,
        headers => {'Sec-Fetch-Site' => 'cross-site'}], 415,
        headers => {'Content-Type' => 'application/problem+json'}]);
}

for my $site ('same-origin', 'none') {
    my $other = post_run('long');
    rows(["an interrupt that is $site", ['GET', "/interrupt/$other",
        headers => {'Sec-Fetch-Site' => $site}], 202]);
    is(run_end($other)->{status}, 'interrupted', "$site: ends");
}
rows(['a status from anywhere is only read', ['GET', "/status/$pid",
    headers => {'Sec-Fetch-Site' => 'cross-site'}], 200]);
api('POST', "/interrupt/$pid");
is(run_end($pid)->{status}, 'interrupted', 'a plain client interrupts');

done();

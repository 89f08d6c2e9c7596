#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /status beside a static file of the same bytes, and a durable POST beside a handler that only
# parses the body: same httpd, same Basic authentication, in turn.
#
#   http.pl ROUNDS
use strict;
use warnings FATAL => 'all';
use WfBench qw(bench_httpd median row wrk);

my ($rounds) = @ARGV;
my $SECONDS = 3;
my $CONNECTIONS = 32;

# A task that holds its one place, so that what is posted is stored and nothing is executed.
my $hold = {tasks => {hold => {concurrency => 1, flows => [{actions => [{action => 'wait', seconds => 86_400}]}]}}};
my $httpd = bench_httpd('bench-http', '', {1 => $hold});
$httpd->start;
my $run = '/cw/api/v2/projects/1/tasks/hold/run?trigger=API';
my $pid = $httpd->post_run(1, 'hold');
my $status = "/cw/api/v2/status/$pid";
my $answer = $httpd->request('GET', $status)->body;
open my $out, '>', $httpd->folder . '/docs/static' or die "static: $!\n";
print {$out} $answer;
close $out or die "static: $!\n";

my %rates;
for (1 .. $rounds) {
    for my $of (['static', 'GET', '/static'], ['status', 'GET', $status], ['parse', 'POST', '/parse'],
        ['run', 'POST', $run]) {
        my ($name, @request) = @{$of};
        push @{$rates{$name}}, wrk($httpd, @request, $SECONDS, $CONNECTIONS);
    }
}
my $ratio = sub {
    my ($a, $b) = map { $rates{$_} } @_;
    return median(map { $a->[$_] / $b->[$_] } 0 .. $rounds - 1);
};
my $common = "wrk, $CONNECTIONS connections, httpd event 1 x 64 threads, Basic (SHA), $rounds rounds of $SECONDS s";
row(name => 'GET /status / static file', value => $ratio->('status', 'static'), goal => '>= 0.90',
    rates => {map { ($_ => median(@{$rates{$_}})) } qw(status static)}, how => $common);
row(name => 'durable POST run / handler that parses', value => $ratio->('run', 'parse'), goal => '>= 0.50',
    rates => {map { ($_ => median(@{$rates{$_}})) } qw(run parse)}, how => $common);

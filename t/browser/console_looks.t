#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The console's views in light and dark, on a desk and on a phone: axe-core finds nothing wrong, nothing is wider
# than the window, and a picture of each is kept.
use strict;
use warnings FATAL => 'all';
use WfConsole;
use WfTest;

my $console = WfConsole->new('console_looks');
my $browser = $console->browser;
my $httpd = $console->httpd;

# Some runs of each outcome.
my @pids = map { $httpd->post_run(@{$_}) } ['569', '12', '{"name": "Ann"}'], ['569', '14'], ['573', 'report',
    '{"kind": "weekly"}'], ['569', '15', '{"any": ["JSON", 1.50]}'];
my $long = $httpd->post_run('569', '13');
$httpd->run_end($_) for @pids;
$httpd->api('POST', "/interrupt/$long");
$httpd->run_end($long);

# Each is: its name, what is behind "#/", and what is done there before it is looked at.
my @views = (
    ['overview', '', sub { $browser->click($browser->one('.task details summary')); $browser->one('.curls code') }],
    ['test', 'test/569/12', sub {
        $browser->click($browser->named(button => qr/^Run/));
        wait_for('its end', 30, sub { $browser->text('.run-head .badge') eq 'completed' });
    }],
    ['edit', 'edit/569/12', sub {
        $browser->click($browser->named(button => 'Generate a secret'));
        $browser->fill($browser->one('#runs'), '0');
        $browser->click($browser->named(button => 'Save'));
        $browser->one('.notice');
    }],
    ['remove', '', sub {
        $browser->click($browser->named(button => 'Remove Upsert customer'));
        $browser->one('dialog[open]');
    }],
    ['runs', 'runs', sub { $browser->one('.runs tbody tr'); $browser->one('.charts rect') }],
    ['run', "run/$pids[2]", sub { $browser->one('.line .error') }],
    ['failed', "run/$pids[1]", sub { $browser->one('.line .error') }],
    ['nowhere', 'nowhere', sub {}],
    ['unknown', 'run/none', sub { $browser->one('.notice') }],
);
for my $colours (qw(light dark)) {
    $browser->colours($colours);
    for my $view (@views) {
        my ($name, $place, $prepare) = @{$view};
        $browser->view_size(1200, 900);
        $console->go($place);
        $prepare->();
        $console->shot("$name-$colours");
        $browser->view_size(360, 740);
        $console->fits("$name, $colours, 360 px wide");
        $console->shot("$name-$colours-phone");
        next if !$ENV{WF_AXE};
        $console->is_accessible("$name, $colours, 360 px wide");
        $browser->view_size(1200, 900);
        $console->is_accessible("$name, $colours");
    }
}

if ($ENV{WF_AXE}) {
    $browser->colours('light');
    $console->go('test/569/12');
    $browser->script('document.querySelector("h1").style.color = "#ccc"; document.querySelector("label").remove();');
    like($console->mistakes, qr/^color-contrast: h1/m, 'a contrast that is too low would be found');
    like($console->mistakes, qr/^label: /m, 'and a field without a name');
}

$console->is_quiet('nothing was wrong with the pages', qr{/status/none\b.*404});
$console->quit;

done();

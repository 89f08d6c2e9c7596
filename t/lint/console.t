#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The console's files: they begin with their licence, lead nowhere but to their own server, use nothing that makes
# markup of text or that the page's policy stops, and the script has no function of more than 80 lines.
use strict;
use warnings FATAL => 'all';
use File::Temp ();
use Test::More;
use WfSource qw(files read_file);

my $folder = 'mod_dbsync_wf/console';
my @files = files($folder);
is("@files", join(' ', map {"$folder/$_"} qw(console.css console.js icon.svg index.html)), 'the files are there');

my $markup = qr/\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment/;
my $abroad = qr{\b(?:https?|wss?):(?!//www\.w3\.org/2000/svg\b|//example\.com/hook')|url\((?!#)|\@import};
my $inline = qr/\bstyle=|<style|\bon[a-z]+=|<script(?! src="console\.js" type="module"><)/;
for my $file (@files) {
    my @lines = split /\n/, read_file($file);
    ok((grep {/SPDX-License-Identifier: Apache-2\.0/} @lines[0 .. 1]), "$file names its licence");
    for my $case ([$markup, 'makes no markup of text'], [$abroad, 'leads nowhere else'],
        [$file =~ /html$/ ? $inline : qr/(?!)/, 'has nothing that the policy stops'])
    {
        my ($pattern, $name) = @{$case};
        is(join("\n", grep { $_ =~ $pattern } @lines), '', "$file $name");
    }
    is(join("\n", grep { length > 120 } @lines), '', "$file has lines of 120 characters at most")
        if $file =~ /js$/;
}

my (@long, $start);
my @lines = split /\n/, read_file("$folder/console.js");
for my $i (0 .. $#lines) {
    $start = $i if $lines[$i] =~ /^(?:export )?(?:async )?function|^class|^const \w+ = \{$/;
    if (defined $start && $lines[$i] =~ /^\};?$/) {
        push @long, "$lines[$start] " . ($i - $start + 1) if $i - $start + 1 > 80;
        $start = undef;
    }
}
is("@long", '', 'it has no function of more than 80 lines');

SKIP: {
    my ($node) = grep {-x} map {"$_/node"} split /:/, $ENV{PATH};
    skip('there is no node', 1) if !$node;
    my $module = File::Temp->new(SUFFIX => '.mjs'); # by which node knows a module
    print {$module} read_file("$folder/console.js");
    $module->flush;
    is(qx($node --check $module 2>&1), '', 'it is a module');
}

done_testing();

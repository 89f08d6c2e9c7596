#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A folder is a layer: it includes only itself and those under it. httpd's headers appear in http/
# and mod_dbsync_wf.c alone, Berkeley DB's in store/embedded/bdb_* alone,
# libcurl's and nettle's in flow/rest/ alone, PCRE2's in flow/schema/pattern.c alone.
use strict;
use warnings FATAL => 'all';
use Test::More;
use WfSource qw(read_file sources without_comments);

my %may = (
    ''     => [qw(http runner flow store base)],
    http   => [qw(http runner flow store base console)],
    runner => [qw(runner flow store base)],
    store  => [qw(store base)],
    flow   => [qw(flow base)],
    base   => [qw(base)],
);
my $httpd = qr/^(?:httpd|http_\w+|ap_\w+|mod_\w+|util_\w+|scoreboard|mpm_common|unixd)\.h$/;
my @units = map { (glob "$_/*.c") } 't/unit', 't/fuzz';

for my $file (sources()) {
    my ($inside) = $file =~ m{^mod_dbsync_wf/(.*)};
    my $layer = $inside =~ m{^(\w+)/} ? $1 : '';
    my $text = without_comments(read_file($file));
    my @wrong;
    ok($may{$layer}, "$file is in a known layer") or next;
    for my $include ($text =~ /^\s*#\s*include\s+([<"][^>"]+)[>"]/mg) {
        my ($form, $name) = $include =~ /^(.)(.*)/;
        if ($form eq '"') {
            my ($target) = $name =~ m{^(\w+)/};
            push @wrong, "\"$name\"" if !grep { $_ eq ($target // '?') } @{$may{$layer}};
            # The build makes bytes of a file beside it.
            push @wrong, "\"$name\" is not there" if !-f 'mod_dbsync_wf/' . $name =~ s/\.inc$//r;
        }
        elsif ($name =~ $httpd) {
            push @wrong, "<$name>" if $layer ne 'http' && $inside ne 'mod_dbsync_wf.c';
        }
        elsif ($name =~ m{^(?:curl|nettle)/}) {
            push @wrong, "<$name>" if $inside !~ m{^flow/rest/};
        }
        elsif ($name eq 'pcre2.h') {
            push @wrong, '<pcre2.h>' if $inside ne 'flow/schema/pattern.c';
        }
        elsif ($name eq 'db.h') {
            push @wrong, '<db.h>' if $inside !~ m{^store/embedded/bdb_};
        }
    }
    is("@wrong", '', "$file includes only what it may");
}

for my $file (@units) {
    my @wrong = grep { $_ =~ $httpd } read_file($file) =~ /^\s*#\s*include\s+<([^>]+)>/mg;
    is("@wrong", '', "$file needs no httpd");
}

done_testing();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Every message in the log has an id of four digits, and no two have the same.
use strict;
use warnings FATAL => 'all';
use Test::More;
use WfSource qw(read_file sources without_comments);

my %seen;
# The sink hands a message on, whole, with the id in it.
my $handed_on = qr/"%s",\s*message\)/;
for my $file (sources()) {
    my $text = without_comments(read_file($file));
    while ($text =~ /"(WF\d+)[":]/g) {
        push @{$seen{$1}}, $file;
        like($1, qr/^WF\d{4}$/, "$1 has four digits");
    }
    next if $file =~ m{/base/log\.[ch]$};
    my @bare;
    while ($text =~ /\b(wf_log_(?:error|warning|info|debug|trace|at)|ap_log_\w*error)\s*(\((?:[^()]|(?2))*\))/g) {
        push @bare, "$1$2" if $2 !~ /"WF\d{4}[":]/ && $2 !~ /$handed_on/;
    }
    is(scalar @bare, 0, "$file has an id in every message") or diag(@bare);
}

cmp_ok(scalar keys %seen, '>', 10, 'there are messages');
for my $id (sort keys %seen) {
    is(scalar @{$seen{$id}}, 1, "$id is one message") or diag(join ' ', @{$seen{$id}});
}

done_testing();

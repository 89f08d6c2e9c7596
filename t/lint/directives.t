#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The directives of the code are those of conf/dbsync_wf.conf and of README.md: none is missing, none
# is made up. And every member of the configuration is created, merged and set.
use strict;
use warnings FATAL => 'all';
use Test::More;
use WfSource qw(files read_file without_comments);

my $code = without_comments(read_file('mod_dbsync_wf/http/directives.c'));
my %takes = map { $_ => 1 } $code =~ /AP_INIT_\w+\(\s*"(\w+)"/g;
cmp_ok(scalar keys %takes, '>=', 6, 'the code has directives');
is_deeply([grep { !/^DbsyncWf[A-Z]\w+$/ } keys %takes], [], 'all of one family');

my $conf = read_file('conf/dbsync_wf.conf');
my $readme = read_file('README.md');
for my $directive (sort keys %takes) {
    like($conf, qr/^\s*#?\s*$directive\s+\S/m, "conf/dbsync_wf.conf shows $directive");
    like($readme, qr/^\| *`$directive\b[^|]*\|/m, "README.md has a row for $directive");
}
for my $file ('conf/dbsync_wf.conf', 'README.md', 'scripts/quickstart', files('t/conf')) {
    my %named = map { $_ => 1 } read_file($file) =~ /\b(DbsyncWf[A-Z]\w*)/g;
    is_deeply([grep { !$takes{$_} } sort keys %named], [], "$file names no other");
}

# What a directive's help says of range and default, the other two say too.
while ($code =~ /AP_INIT_\w+\(\s*"(\w+)".*?"([^"]*)"\s*\)/gs) {
    my ($directive, $help) = ($1, $2);
    my ($default) = $help =~ /default:? (\S+)/ or next;
    my ($row) = $readme =~ /^(\| *`$directive\b.*)$/m or next;
    like($row, qr/\b\Q$default\E\b/, "README.md has $directive\'s default, $default");
    my ($comment) = $conf =~ /((?:^[ \t]*#.*\n)+)[ \t]*#?[ \t]*$directive\s/m;
    like("$comment$1", qr/\b\Q$default\E\b/, "conf/dbsync_wf.conf has it too");
}

# The directory configuration is one list; struct, merge and getters come of it.
my $header = without_comments(read_file('mod_dbsync_wf/http/config.h'));
my $config = without_comments(read_file('mod_dbsync_wf/http/config.c'));
my ($list) = $header =~ /#define WF_DIR_FIELDS\(X\)(.*?[^\\])\n/s;
my @fields = $list =~ /X\([^,]+,\s*(\w+),/g;
cmp_ok(scalar @fields, '>', 0, 'there are fields');
my ($struct) = $header =~ /typedef struct wf_dir_config_t \{(.*?)\} wf_dir_config_t;/s;
is($struct =~ s/#define(?:[^\n]*\\\n)*[^\n]*|#undef[^\n]*|\s//gr,
    'WF_DIR_FIELDS(WF_DIR_MEMBER)conststructwf_dir_config_t*parts[2];',
    'the struct has the list\'s fields, what it was merged from, and no other');
like($config, qr/WF_DIR_FIELDS\(MERGE\)/, 'the merge goes through the list');
like($config, qr/WF_DIR_FIELDS\(GETTER\)/, 'and the getters');
for my $field (@fields) {
    like($code, qr/->$field = |&config->$field,/, "a directive sets $field");
    like($code, qr/->${field}_set = 1|&config->${field}_set,/, "and marks $field as set");
}

# The settings: each has its default and its directive, and a change of any replaces the supervisor.
my $settings = without_comments(read_file('mod_dbsync_wf/runner/settings.h'));
my ($members) = $settings =~ /typedef struct wf_settings_t \{(.*?)\} wf_settings_t;/s;
my $supervise = without_comments(read_file('mod_dbsync_wf/http/supervise.c'));
my ($fingerprint) = $supervise =~ /^static void take_fingerprint\(.*?^\{(.*?)^\}/ms;
for my $member ($members =~ /(\w+);/g) {
    like($config, qr/(?:\.|->)$member = /, "$member has a default");
    like($code, qr/settings_of\(cmd\)->$member = /, "a directive sets $member");
    like($fingerprint // q{}, qr/settings->$member\b/, "$member is part of what a supervisor is known by");
}

done_testing();

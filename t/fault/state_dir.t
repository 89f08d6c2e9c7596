#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A state directory that cannot serve is refused when httpd starts, and the error log says what is
# wrong with it and what to do; nothing is left running.
use strict;
use warnings FATAL => 'all';
use File::Path qw(remove_tree);
use WfConfig qw(free_port server_vars write_conf);
use WfTest;

my %vars = server_vars();
my $port = free_port();
my $folder = "$vars{t_state}/state_dir";
remove_tree($folder);
mkdir $folder or die "$folder: $!\n";
my $base = <<"END";
<Location "/api/v2">
    SetHandler dbsync-wf
    AuthType Basic
    AuthName "DBSync workflows"
    AuthUserFile "$vars{t_state}/users"
    Require valid-user
</Location>
END

# The error log of a start with a state directory; tests that it fails and leaves no process.
sub log_of_start
{
    my ($name, $state) = @_;
    my $log = "$folder/error_log";
    unlink $log;
    my $httpd = write_conf("$folder/httpd.conf", $port, <<"END" . $base);
PidFile "$folder/httpd.pid"
ErrorLog "$log"
<IfModule mod_mime.c>
    TypesConfig /dev/null
</IfModule>
DbsyncWfStateDir "$state"
END
    my $said = qx($httpd -k start 2>&1) // '';
    isnt($?, 0, "$name: httpd does not start") or diag($said);
    is(scalar(grep { -s $_ } "$folder/httpd.pid"), 0, "$name: and is not there");
    open my $in, '<', $log or return '';
    return join '', <$in>;
}

sub make_dir
{
    my ($name, $mode) = @_;
    mkdir "$folder/$name" or die "$folder/$name: $!\n";
    chmod $mode, "$folder/$name" or die "$folder/$name: $!\n";
    return "$folder/$name";
}

my $file = "$folder/file";
open my $out, '>', $file or die "$file: $!\n";
close $out or die "$file: $!\n";
my $real = make_dir('real', 0700);
symlink $real, "$folder/link" or die "$folder/link: $!\n";

my @refused = (
    ['open to others', make_dir('wide', 0755), qr/WF0352: .* is open to others: .* \(chmod 700\)/],
    ['read-only', make_dir('read-only', 0500), qr/WF0352: .* cannot be written: .* \(chmod 700\)/],
    ['a file', $file, qr/WF0352: .* is no directory: it must be a directory/],
    ['a link', "$folder/link", qr/WF0352: .* is no directory: it must be a directory/],
    ["another user's", '/usr', qr/WF0352: .* belongs to another user: .* User that httpd runs as/],
    ['in a folder that is not there', "$folder/no/such",
        qr/WF0350: .* cannot be made: create the folder above it, or name another directory/],
    ['in a folder that may not be written', '/usr/dbsync_wf',
        qr/WF0350: .* cannot be made: create the folder above it, or name another directory/],
);
for my $case (@refused) {
    my ($name, $state, $expected) = @{$case};
    like(log_of_start($name, $state), $expected, "$name: the error log says what to do");
}

done();

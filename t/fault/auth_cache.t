#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# What DbsyncWfAuthCache remembers goes with httpd's processes: after graceful and restart a password
# that was changed meanwhile is refused.
use strict;
use warnings FATAL => 'all';
use WfHttp ();
use WfHttpd ();
use WfTest;
use WfUsers qw(write_users);

my $httpd = WfHttpd->new('auth_cache_restart');
my $file = $httpd->folder . '/users';
$httpd->configure(<<"END");
KeepAliveTimeout 30
<Location "/remembered">
    SetHandler dbsync-wf
    AuthType Basic
    AuthName "DBSync workflows"
    AuthBasicProvider dbsync-wf-cache
    DbsyncWfAuthCache 1h file
    AuthUserFile "$file"
    Require valid-user
</Location>
END
my @passwords = qw(first second third);
write_users($file, alice => $passwords[0]);
$httpd->start;

# The status of an answer, on one connection, which is with one process; 200 for who is accepted.
my $connection;

sub answered
{
    my ($password) = @_;
    $connection->{password} = $password;
    return $connection->request('GET', '/remembered/runs')->status;
}

# Waits until httpd has taken up its configuration, and meets a new process.
sub again
{
    my ($action) = @_;
    my $before = $httpd->log_lines(qr/resuming normal operations/);
    $httpd->control($action);
    wait_for("httpd after $action", 30,
        sub { $httpd->log_lines(qr/resuming normal operations/) > $before });
    $connection = WfHttp->new(port => $httpd->{port}, user => 'alice', keep => 1);
    return;
}

$connection = WfHttp->new(port => $httpd->{port}, user => 'alice', keep => 1);
for my $action (qw(graceful restart)) {
    my ($old, $new) = @passwords;
    is(answered($old), 200, 'a password');
    write_users($file, alice => $new);
    is(answered($old), 200, "is remembered before $action");
    again($action);
    is(answered($old), 401, "$action forgets it");
    is(answered($new), 200, 'and the new one is accepted');
    shift @passwords;
}
$httpd->stop;

done();

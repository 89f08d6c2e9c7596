#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# DbsyncWfAuthCache: a password that was accepted is accepted for some time more without its hash, and
# nothing else is: no other password, and none that another user file, section or vhost has accepted.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(server_var);
use WfHttp ();
use WfHttpd ();
use WfTest;
use WfUsers qw(write_users);

my $none = '0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a';
my $modules = server_var('libexecdir');
my $httpd = WfHttpd->new('auth_cache');
my $folder = $httpd->folder;

# A base with a user file, and more lines.
sub base
{
    my ($path, $file, @lines) = @_;
    return join "\n", qq(<Location "$path">), 'SetHandler dbsync-wf', 'AuthType Basic',
        'AuthName "DBSync workflows"', 'AuthBasicProvider dbsync-wf-cache',
        'DbsyncWfAuthCache 1h file', 'Require valid-user', qq(AuthUserFile "$folder/$file"), @lines,
        "</Location>\n";
}

# a and b know alice by different passwords.
write_users("$folder/a", alice => 'wonderland');
write_users("$folder/b", alice => 'looking glass', bob => 'builder');
write_users("$folder/changed", alice => 'wonderland');
write_users("$folder/short", alice => 'wonderland');
my $lines = join '',
    map({qq(LoadModule ${_}_module "$modules/mod_$_.so"\n)} qw(authn_socache socache_shmcb)),
    "LogLevel dbsync_wf:debug\nMaxKeepAliveRequests 0\nKeepAliveTimeout 30\nAuthnCacheSOCache shmcb\n",
    qq(<AuthnProviderAlias file b>\nAuthUserFile "$folder/b"\n</AuthnProviderAlias>\n),
    "<AuthnProviderAlias dbsync-wf-cache itself>\n</AuthnProviderAlias>\n",
    base('/a', 'a'), base('/b', 'b'), base('/changed', 'changed'),
    base('/short', 'short', 'DbsyncWfAuthCache 1 file'), base('/off', 'changed', 'DbsyncWfAuthCache 0 file'),
    # The same section, but for one that has a user file in it and nothing of ours.
    qq(<Location "/a/interrupt">\nAuthUserFile "$folder/b"\n</Location>\n),
    qq(<LocationMatch "^/a/runs">\nAuthUserFile "$folder/b"\n</LocationMatch>\n),
    base('/if', 'a', qq(<If "%{QUERY_STRING} =~ /b/">\nAuthUserFile "$folder/b"\n),
        qq(<If "%{QUERY_STRING} =~ /a/">\nAuthUserFile "$folder/a"\n</If>), '</If>'),
    base('/several', 'a', 'DbsyncWfAuthCache 1h file b'),
    base('/alias', 'a', 'AuthBasicProvider itself', 'DbsyncWfAuthCache 1h itself'),
    base('/socache', 'a', 'AuthnCacheProvideFor file', 'DbsyncWfAuthCache 1h socache file'),
    base('/realms', 'a', 'AuthName "%{QUERY_STRING}"'),
    <<"END";
<Location "/nobody">
    SetHandler dbsync-wf
    AuthType Basic
    AuthName "DBSync workflows"
    AuthBasicProvider dbsync-wf-cache
    Require valid-user
</Location>
<VirtualHost 127.0.0.1:$httpd->{port}>
    ServerName localhost
</VirtualHost>
<VirtualHost 127.0.0.1:$httpd->{port}>
    ServerName other.example
    <Location "/a">
        AuthUserFile "$folder/b"
    </Location>
</VirtualHost>
END
$httpd->configure($lines);
$httpd->start;

# One connection, so that it is one process that is asked, under every MPM.
my $connection = WfHttp->new(port => $httpd->{port}, keep => 1);

# The status of an answer: 404 (there is no such run) for who was accepted.
sub answered
{
    my ($path, $user, $password, %headers) = @_;
    @{$connection}{qw(user password)} = ($user, $password);
    return $connection->request('GET', $path, headers => \%headers)->status;
}

sub is_answered
{
    my ($expected, $name, @request) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(answered(@request), $expected, $name);
    return;
}

my $old = qr/WF0370: the password of alice is remembered/;
my @alice = ('alice', 'wonderland');
my @other = ('alice', 'looking glass');
my %vhost = (Host => 'other.example');

# Remembered once, however often it is asked.
is_answered(404, 'alice is accepted', "/a/status/$none", @alice) for 1 .. 20;
is(scalar $httpd->log_lines($old), 1, 'and was remembered once');
for my $wrong ('wonderlan', 'Wonderland', 'wonderland ', '', 'looking glass') {
    is_answered(401, "never with \"$wrong\"", "/a/status/$none", 'alice', $wrong) for 1 .. 3;
}
is_answered(401, 'nor another user with that password', "/a/status/$none", 'bob', 'wonderland');
is(scalar $httpd->log_lines(qr/WF0370/), 1, 'and nobody else was remembered');

# What was accepted by one user file holds for no other.
is_answered(401, 'not at another base', "/b/status/$none", @alice);
is_answered(404, 'that has its own', "/b/status/$none", @other);
is_answered(401, 'which does not hold at the first', "/a/status/$none", @other);
for my $path ("/a/interrupt/$none", '/a/runs') {
    my $good = $path =~ /runs/ ? 200 : 404;
    is_answered(401, "$path has a user file of its own", $path, @alice);
    is_answered($good, 'whose password is accepted', $path, @other) for 1 .. 2;
    is_answered(401, 'and the other still is not', $path, @alice);
    is_answered(404, 'which is where it belongs', "/a/status/$none", @alice);
    is_answered(401, 'and only there', "/a/status/$none", @other);
}
is_answered(404, 'outside of <If>', "/if/status/$none", @alice);
is_answered(401, 'in <If>', "/if/status/$none?b", @alice);
is_answered(404, 'in <If> with its own', "/if/status/$none?b", @other);
is_answered(401, 'outside of <If> with that', "/if/status/$none", @other);
is_answered(401, 'in <If> in <If> with that', "/if/status/$none?ab", @other);
is_answered(404, 'in <If> in <If>', "/if/status/$none?ab", @alice);

is_answered(401, 'not in another vhost', "/a/status/$none", @alice, %vhost);
is_answered(404, 'which has its own', "/a/status/$none", @other, %vhost);
is_answered(401, 'and for itself', "/a/status/$none", @other);

# Several providers, in their order; an alias; one that would ask itself; mod_authn_socache.
for my $time ('first', 'then remembered') {
    is_answered(404, "the first provider's, $time", "/several/status/$none", @alice);
    is_answered(401, "not the second's, whom the first knows, $time", "/several/status/$none", @other);
    is_answered(404, "the second's, by its alias, $time", "/several/status/$none", 'bob', 'builder');
    is_answered(404, "behind mod_authn_socache, $time", "/socache/status/$none", @alice);
    is_answered(401, "behind mod_authn_socache a wrong one, $time", "/socache/status/$none", @other);
}
is_answered(500, 'an alias of itself is an error', "/alias/status/$none", @alice) for 1 .. 2;
is_answered(500, 'so is nobody to ask', "/nobody/status/$none", @alice) for 1 .. 2;

# A realm that depends on the request is part of what is remembered.
my $before = $httpd->log_lines($old);
is_answered(404, 'one realm', "/realms/status/$none?one", @alice) for 1 .. 2;
is_answered(404, 'another realm', "/realms/status/$none?two", @alice) for 1 .. 2;
is($httpd->log_lines($old) - $before, 2, 'each is remembered by itself');

# 304 and the like stay what they are.
my $pid = $httpd->post_run('600', 'noop');
$httpd->run_end($pid);
for (1 .. 2) {
    my $run = WfHttp->new(port => $httpd->{port}, user => 'alice', password => 'wonderland');
    my $tag = $run->request('GET', "/a/status/$pid")->header('ETag');
    is($run->request('GET', "/a/status/$pid", headers => {'If-None-Match' => $tag})->status, 304,
        'a status that is known');
}

# An old password is good for that time more, in the processes that have seen it; the new one at once.
is_answered(404, 'before a change', "/changed/status/$none", @alice);
is_answered(404, 'before a change, without a memory', "/off/status/$none", @alice);
is_answered(404, 'before a change, with a short one', "/short/status/$none", @alice);
write_users("$folder/changed", alice => 'through');
write_users("$folder/short", alice => 'through');
is_answered(404, 'the old password', "/changed/status/$none", @alice);
is_answered(404, 'the new password', "/changed/status/$none", 'alice', 'through');
is_answered(401, 'a wrong one', "/changed/status/$none", 'alice', 'thorough');
is_answered(401, 'the old one where nothing is remembered', "/off/status/$none", @alice);
ok(wait_for('the old password to be refused', 20,
    sub { answered("/short/status/$none", @alice) == 401 }), 'the time ends, however often it is asked');
is_answered(404, 'and the new one is accepted', "/short/status/$none", 'alice', 'through');

ok(scalar $httpd->log_lines(qr/\[dbsync_wf:error\].*WF0372/), 'the log tells of the alias');
ok(scalar $httpd->log_lines(qr/\[dbsync_wf:error\].*WF0371.*DbsyncWfAuthCache 60 file/),
    'and what to write where nobody is asked');
$httpd->stop;

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Who may run a project's tasks is said once, in httpd's own words, and holds for its runs at every
# endpoint: groups, expressions, addresses, methods; whatever the provider is that knows the users.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(server_var);
use WfEvents;
use WfHttp ();
use WfHttpd ();
use WfTest;

my $modules = server_var('libexecdir');
my $users = server_var('t_state') . '/users';
my $httpd = WfHttpd->new('authz_projects');
my $folder = $httpd->folder;
my %password = (alice => 'wonderland', bob => 'builder', guest => 'guest@example.com');

sub write_groups
{
    open my $to, '>', "$folder/groups.new" or die "$folder/groups.new: $!\n";
    print {$to} @_;
    close $to or die "$folder/groups.new: $!\n";
    rename "$folder/groups.new", "$folder/groups" or die "$folder/groups: $!\n";
    return;
}

write_groups("crm: alice guest\nerp: bob\n");
for my $user (qw(alice bob)) {
    my $create = -e "$folder/users.dbm.pag" ? '' : 'c';
    my $said = qx(htdbm -TSDBM -${create}bs $folder/users.dbm $user $password{$user} 2>&1);
    die "htdbm: $said\n" if $? != 0;
}

sub base
{
    my ($path, @lines) = @_;
    return join "\n", qq(<Location "$path">), 'SetHandler dbsync-wf', 'AuthType Basic',
        'AuthName "DBSync workflows"', 'Require valid-user', @lines, "</Location>\n";
}

# The rules, at all bases; 602 has one that asks nobody's name, and 605 one for POST alone.
my %rule = (
    600 => 'Require group crm',
    601 => 'Require group erp',
    603 => q(Require expr "%{REMOTE_USER} == 'alice' && %{REQUEST_METHOD} == 'POST'"),
    602 => 'Require ip 127.0.0.1',
    605 => "<Limit POST>\nRequire group crm\n</Limit>",
    607 => "<RequireAll>\nRequire valid-user\nRequire not group erp\nRequire ip 127.0.0.1\n</RequireAll>",
    569 => "<RequireAll>\nRequire group crm\nRequire ip 192.0.2.0/24\n</RequireAll>",
);
my $here = "127.0.0.1:$httpd->{port}";
$httpd->configure(join '',
    map({qq(LoadModule ${_}_module "$modules/mod_$_.so"\n)}
        qw(authz_groupfile authz_host authn_dbm authn_anon authn_socache socache_shmcb)),
    qq(AuthnCacheSOCache shmcb\n<Location "/">\nAuthGroupFile "$folder/groups"\n</Location>\n),
    base('/main', qq(AuthUserFile "$users")),
    base('/dbm', 'AuthBasicProvider dbm', 'AuthDBMType SDBM', qq(AuthDBMUserFile "$folder/users.dbm")),
    base('/anon', 'AuthBasicProvider anon', 'Anonymous guest'),
    base('/socache', 'AuthBasicProvider socache file', 'AuthnCacheProvideFor file',
        qq(AuthUserFile "$users")),
    base('/cache', 'AuthBasicProvider dbsync-wf-cache', 'DbsyncWfAuthCache 60 file',
        qq(AuthUserFile "$users")),
    map({qq(<LocationMatch "^/(main|dbm|anon|socache|cache)/projects/$_/">\n$rule{$_}\n</LocationMatch>\n)}
        sort keys %rule),
    "<VirtualHost $here>\nServerName localhost\n</VirtualHost>\n",
    # Where bob may what alice may elsewhere.
    "<VirtualHost $here>\nServerName other.example\n",
    qq(<LocationMatch "/projects/600/">\nRequire group erp\n</LocationMatch>\n</VirtualHost>\n));
$httpd->start;

# One request as a user; options as WfHttp's, and `base`.
sub as
{
    my ($user, $method, $path, %option) = @_;
    my $base = delete $option{base} // '/main';
    return WfHttp->new(port => $httpd->{port}, user => $user, password => $password{$user})
        ->request($method, "$base$path", %option);
}

sub start
{
    my ($user, $project, $task, %option) = @_;
    return as($user, 'POST', "/projects/$project/tasks/$task/run?trigger=API", body => '{}',
        type => 'application/json', %option);
}

# A run that goes on until it is interrupted.
sub long_run
{
    my ($user, $project, %option) = @_;
    my $answer = start($user, $project, 'long', %option);
    is($answer->status, 202, "$user runs $project") or diag($answer->body);
    return $answer->json->{pid};
}

# Every way to a run: what it is, method, path (%s is the pid), options, and the status for who may.
# Interrupts come first: what waits for the end has then nothing to wait for.
my @ways = (
    ['interrupt, its head',    'HEAD', '/interrupt/%s',      [], 200],
    ['interrupt by GET',       'GET',  '/interrupt/%s',      [], 202],
    ['interrupt by POST',      'POST', '/interrupt/%s',      [], 200], # by then it has been
    ['status',                 'GET',  '/status/%s',         [], 200],
    ['status, its head',       'HEAD', '/status/%s',         [], 200],
    ['status, waiting',        'GET',  '/status/%s?wait=1',  [], 200],
    ['status, waiting for a change', 'GET', '/status/%s?wait=1', [headers => {'If-None-Match' => '"x"'}],
        200],
    ['status, any is known',   'GET',  '/status/%s',         [headers => {'If-None-Match' => '*'}], 304],
    ['events',                 'GET',  '/status/%s/events',  [], 200],
    ['events, their head',     'HEAD', '/status/%s/events',  [], 200],
    ['logs',                   'GET',  '/logs/%s',           [], 200],
    ['logs, a part',           'GET',  '/logs/%s',           [headers => {Range => 'bytes=0-9'}], 206],
    ['logs, followed',         'GET',  '/logs/%s?follow=1',  [], 200],
);

# That a run is nothing to a user, in every way, and is as it was afterwards.
sub is_hidden
{
    my ($user, $pid, $name, @option) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $unknown = '0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a';
    for my $way (@ways) {
        my ($what, $method, $path, $own) = @{$way};
        my $answer = as($user, $method, sprintf($path, $pid), @{$own}, @option);
        my $other = as($user, $method, sprintf($path, $unknown), @{$own}, @option);
        is($answer->status, 404, "$name: $what");
        is($answer->body, $other->body, "$name: $what, as if there were none");
        like($answer->body, qr/unknown-run/, "$name: $what, and that is what it says")
            if $method ne 'HEAD';
    }
    return;
}

sub is_open
{
    my ($user, $pid, $name, @option) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $way (@ways) {
        my ($what, $method, $path, $own, $status) = @{$way};
        is(as($user, $method, sprintf($path, $pid), @{$own}, @option)->status, $status,
            "$name: $what");
        wait_for("the end of $pid", 20, sub {
            as($user, 'GET', "/status/$pid", @option)->json->{status} eq 'interrupted';
        }) if $what eq 'interrupt by GET';
    }
    return;
}

# The pids that a user's list has.
sub listed
{
    my ($user, $query, @option) = @_;
    my $answer = as($user, 'GET', "/runs$query", @option);
    die "list: ", $answer->status, "\n" if $answer->status != 200;
    return map { $_->{pid} } @{$answer->json->{runs}};
}

sub is_listed
{
    my ($expected, $user, $pid, $project, $name, @option) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $query ('', "?project=$project", "?project=$project&status=running", '?limit=500') {
        is(scalar(grep { $_ eq $pid } listed($user, $query, @option)), $expected, "$name: /runs$query");
    }
    return;
}

# Groups, at the plain base and behind other providers and caches of theirs.
for my $base ('/main', '/dbm', '/socache', '/cache') {
    my @base = (base => $base);
    for my $case (['alice', 600, 'bob'], ['bob', 601, 'alice']) {
        my ($own, $project, $other) = @{$case};
        my $pid = long_run($own, $project, @base);
        # Nothing of it changes any more once it has said which action it is at.
        wait_for('the run to start', 20,
            sub { exists as($own, 'GET', "/status/$pid", @base)->json->{progress} });
        my $before = as($own, 'GET', "/status/$pid", @base)->body;
        is(start($other, $project, 'long', @base)->status, 401, "$base: $other may not run $project");
        is_listed(1, $own, $pid, $project, "$base: $own", @base);
        is_listed(0, $other, $pid, $project, "$base: $other", @base);
        is_hidden($other, $pid, "$base: $other", @base);
        is(as($own, 'GET', "/status/$pid", @base)->body, $before, 'the run is as it was');
        is_open($own, $pid, "$base: $own", @base);
    }
}
my $guests = long_run('guest', 600, base => '/anon');
is_hidden('bob', $guests, "an anonymous guest's run");
is_open('guest', $guests, 'a guest', base => '/anon');

# The vhost has the rule the other way round, and runs of its own.
my @vhost = (headers => {Host => 'other.example'});
my $there = start('bob', 600, 'noop', @vhost);
is($there->status, 202, 'bob runs it in the vhost');
is(start('alice', 600, 'noop', @vhost)->status, 401, 'where alice may not');
is(as('bob', 'GET', '/status/' . $there->json->{pid}, @vhost)->status, 200, 'bob sees it there');
is(as('alice', 'GET', '/status/' . $there->json->{pid}, @vhost)->status, 404, 'alice does not');
is(as('alice', 'GET', '/status/' . $there->json->{pid})->status, 404, 'nor here');
is_listed(0, 'alice', $there->json->{pid}, 600, 'nor in a list');

# Require expr is asked about the POST that would run the task.
my $expr = start('alice', 603, 'sleep')->json->{pid};
is(as('alice', 'GET', "/status/$expr")->status, 200, 'Require expr: who is meant');
is_hidden('bob', $expr, 'Require expr: another');

# <RequireAll> with a group, its negation, and an address.
my $all = start('alice', 607, 'nobody')->json->{pid};
is(as('alice', 'GET', "/status/$all")->status, 200, '<RequireAll>: who is meant');
is_hidden('bob', $all, '<RequireAll>: another');

# An address in a project's section: from elsewhere there is nothing, whoever asks.
is(start('alice', 569, '15')->status, 403, 'Require ip: not from here');

# An address alone asks nobody's name, so httpd does not authenticate, and a run has nobody to belong to.
my $nameless = start('alice', 602, 'noop');
is($nameless->status, 403, 'Require ip alone is not enough to run');
like($nameless->body, qr/authentication-not-configured/, 'and the answer says that');

# <Limit POST> counts, since it is a POST that runs a task.
my $limited = start('alice', 605, 'queue')->json->{pid};
is(start('bob', 605, 'queue')->status, 401, '<Limit POST>: not another');
is(as('alice', 'GET', "/status/$limited")->status, 200, '<Limit POST>: who is meant');
is_hidden('bob', $limited, '<Limit POST>: another');

# Who leaves a group meanwhile sees no more of its project, and who comes sees it.
{
    my %stream = map {
        ($_ => WfEvents->open(undef, base => '/main', port => $httpd->{port}, user => $_, query => '?project=600&limit=1'))
    } qw(alice bob);
    my $begin = time;
    ok(($stream{alice}->pages_until(sub { @_ }))[-1], 'alice sees runs of project 600');
    is(($stream{bob}->page)[0], '{"runs":[]}', 'bob sees none');
    write_groups("crm: bob\nerp: alice\n");
    $stream{alice}->pages_until(sub { !@_ });
    $stream{bob}->pages_until(sub { @_ });
    pass('it is the other way round then, although no run has changed');
    cmp_ok(time - $begin, '<', 30, 'in good time');
    $_->close for values %stream;
}

ok(scalar $httpd->log_lines(qr/\[dbsync_wf:error\].*WF0316/), 'the log tells of who was not authenticated');
$httpd->stop;

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Directives are checked at configtest, and what is refused says what to write instead. The annotated
# conf/dbsync_wf.conf is accepted as it is, with the folders of a test put in.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(server_vars write_conf);
use WfTest;

my %vars = server_vars();
my $file = "$vars{t_state}/configtest.conf";

# configtest(LINES): what `httpd -t` says of the lines after the modules, and whether it is content.
sub configtest
{
    my ($lines) = @_;
    my $httpd = write_conf($file, $vars{port}, $lines);
    my $said = qx($httpd -t 2>&1);
    return ($? == 0, $said);
}

my $projects = qq(DbsyncWfProjects "$vars{t_state}/projects"\n);
my @good = (
    '', $projects, 'DbsyncWfStateDir state/runs',
    'DbsyncWfThreads 1', 'DbsyncWfThreads 4096',
    'DbsyncWfCacheSize 1M', 'DbsyncWfCacheSize 64G', 'DbsyncWfCacheSize 1048576',
    'DbsyncWfCacheSize 2048k',
    'DbsyncWfKillGrace 0', 'DbsyncWfKillGrace 5', 'DbsyncWfKillGrace 250ms', 'DbsyncWfKillGrace 1h',
    'DbsyncWfKillGrace 60mi',
    'DbsyncWfRetention 0', 'DbsyncWfRetention 15', 'DbsyncWfRetention 100000h',
    'DbsyncWfQueueLimit 0', 'DbsyncWfQueueLimit 1', 'DbsyncWfQueueLimit 100000000',
    'DbsyncWfOutputLimit 0', 'DbsyncWfOutputLimit 1', 'DbsyncWfOutputLimit 1G', 'DbsyncWfOutputLimit 100k',
    'DbsyncWfCallbackHosts none', 'DbsyncWfCallbackHosts hooks.example.org 127.0.0.1:8080 [::1]:8443',
    'DbsyncWfMaxWait 0', 'DbsyncWfMaxWait 60', 'DbsyncWfMaxWait 1h',
    'DbsyncWfMaxStream 0', 'DbsyncWfMaxStream 90', 'DbsyncWfMaxStream 24h', 'DbsyncWfMaxStream 1500ms',
    'DbsyncWfAuthCache 60 file', 'DbsyncWfAuthCache 0 file file', 'DbsyncWfAuthCache 1h file',
    "<AuthnProviderAlias file x>\n</AuthnProviderAlias>\nDbsyncWfAuthCache 500ms x",
    "<Location /x>\nAuthBasicProvider dbsync-wf-cache\nDbsyncWfAuthCache 60 file\n</Location>",
    'DbsyncWfCorsOrigins none', 'DbsyncWfCorsOrigins https://a.example http://localhost:3000',
    'DbsyncWfCorsOrigins http://[::1]:8080 http://127.0.0.1 moz-extension://0a-1b',
    'DbsyncWfCorsOrigins http://a.example:443 https://a.example:80',
    "<Location /x>\nDbsyncWfCorsOrigins https://a.example\n</Location>",
    'DbsyncWfMaxWaiters 0', 'DbsyncWfMaxWaiters 65536',
    'DbsyncWfAuditLog logs/audit_log', 'DbsyncWfAuditLog "|/bin/cat -u"', 'DbsyncWfAuditLog "||/bin/cat"',
    "<VirtualHost *:80>\nDbsyncWfAuditLog logs/other\n</VirtualHost>",
    'DbsyncWfMetrics own', "<Location /x>\nDbsyncWfMetrics all\n</Location>",
    'DbsyncWfMaxBody 1', 'DbsyncWfMaxBody 64M', 'DbsyncWfMaxBody 100k',
    "<VirtualHost *:80>\n${projects}DbsyncWfMaxBody 2M\n</VirtualHost>",
    "<Location /x>\n${projects}DbsyncWfMaxBody 2M\n</Location>",
    "<LocationMatch ^/x>\nDbsyncWfMaxBody 2M\n</LocationMatch>",
    "<VirtualHost *:80>\nDbsyncWfMaxWait 5\n</VirtualHost>", "<Location /x>\nDbsyncWfMaxWait 5\n</Location>",
    "<VirtualHost *:80>\nDbsyncWfMaxStream 5\n</VirtualHost>",
    "<Location \"/x\">\nSetHandler dbsync-wf\n</Location>",
);
for my $lines (@good) {
    my ($ok, $said) = configtest("$lines\n");
    ok($ok, 'accepted: ' . $lines =~ s/\n/ /gr) or diag($said);
}

my @bad = (
    ['DbsyncWfThreads 0',       qr/DbsyncWfThreads must be .* from 1 to 4096, not "0"/],
    ['DbsyncWfThreads 4097',    qr/from 1 to 4096, not "4097"/],
    ['DbsyncWfThreads -1',      qr/from 1 to 4096, not "-1"/],
    ['DbsyncWfThreads 2x',      qr/from 1 to 4096, not "2x"/],
    ['DbsyncWfThreads ""',      qr/from 1 to 4096/],
    ['DbsyncWfThreads',         qr/DbsyncWfThreads takes one argument/],
    ['DbsyncWfCacheSize 1023K', qr/DbsyncWfCacheSize must be .* from 1M to 64G/],
    ['DbsyncWfCacheSize 65G',   qr/from 1M to 64G/],
    ['DbsyncWfCacheSize 99999999999999999999G', qr/from 1M to 64G/],
    ['DbsyncWfCacheSize 1MB',   qr/from 1M to 64G/],
    ['DbsyncWfKillGrace 2h',    qr/DbsyncWfKillGrace must be .* from 0 to 1h/],
    ['DbsyncWfKillGrace -5',    qr/from 0 to 1h/],
    ['DbsyncWfKillGrace soon',  qr/from 0 to 1h/],
    ['DbsyncWfRetention 14',    qr/DbsyncWfRetention must be 0, for ever, or a time from 15s/],
    ['DbsyncWfRetention 100001h', qr/from 15s to 100000h/],
    ['DbsyncWfRetention 7d',    qr/from 15s to 100000h/],
    ['DbsyncWfQueueLimit 100000001', qr/DbsyncWfQueueLimit must be 0, for no limit, or .* up to 100000000/],
    ['DbsyncWfQueueLimit -1',   qr/up to 100000000, not "-1"/],
    ['DbsyncWfQueueLimit 1k',   qr/up to 100000000, not "1k"/],
    ['DbsyncWfQueueLimit ""',   qr/up to 100000000/],
    ['DbsyncWfCallbackHosts',   qr/DbsyncWfCallbackHosts takes hosts, such as .*, or none/],
    ['DbsyncWfCallbackHosts a none', qr/DbsyncWfCallbackHosts: "none" must stand alone/],
    ['DbsyncWfCallbackHosts https://a.example', qr/"https:\/\/a\.example" must be a host or host:port/],
    ['DbsyncWfCallbackHosts a.example/x', qr/"a\.example\/x" must be a host or host:port/],
    ['DbsyncWfCallbackHosts u@a.example', qr/"u\@a\.example" must be a host or host:port/],
    ["<VirtualHost *:80>\nDbsyncWfCallbackHosts a\n</VirtualHost>", qr/DbsyncWfCallbackHosts cannot occur within/],
    ['DbsyncWfOutputLimit 2G',  qr/DbsyncWfOutputLimit must be 0, to keep no output, or a size up to 1G/],
    ['DbsyncWfOutputLimit -1',  qr/up to 1G, .* not "-1"/],
    ['DbsyncWfOutputLimit all', qr/up to 1G/],
    ["<VirtualHost *:80>\nDbsyncWfOutputLimit 2\n</VirtualHost>", qr/DbsyncWfOutputLimit cannot occur within/],
    ['DbsyncWfAuditLog ""',     qr/file, or "\|program arguments"/],
    ['DbsyncWfAuditLog "| "',   qr/DbsyncWfAuditLog must be a file, or "\|" and a program/],
    ["<Location /x>\nDbsyncWfAuditLog x\n</Location>", qr/DbsyncWfAuditLog not allowed (?:here|in <Location> context)/],
    ['DbsyncWfMetrics none',    qr/DbsyncWfMetrics must be own, .* or all, .* not "none"/],
    ["<Files x>\nDbsyncWfMetrics all\n</Files>", qr/DbsyncWfMetrics has no effect in <Files>/],
    ['DbsyncWfMaxWait 3601',    qr/DbsyncWfMaxWait must be .* from 0 to 1h/],
    ['DbsyncWfMaxWait -1',      qr/from 0 to 1h/],
    ['DbsyncWfMaxWait long',    qr/from 0 to 1h/],
    ["<Directory />\nDbsyncWfMaxWait 5\n</Directory>", qr/DbsyncWfMaxWait has no effect in <Directory>/],
    ['DbsyncWfMaxStream 25h',   qr/DbsyncWfMaxStream must be .* from 0 to 24h.*, not "25h"/],
    ['DbsyncWfMaxStream -1',    qr/from 0 to 24h/],
    ["<Directory />\nDbsyncWfMaxStream 5\n</Directory>", qr/DbsyncWfMaxStream has no effect in <Directory>/],
    ['DbsyncWfMaxWaiters 65537', qr/DbsyncWfMaxWaiters must be .* from 0 to 65536/],
    ['DbsyncWfMaxWaiters -1',   qr/from 0 to 65536/],
    ["<VirtualHost *:80>\nDbsyncWfMaxWaiters 2\n</VirtualHost>", qr/DbsyncWfMaxWaiters cannot occur within/],
    ['DbsyncWfAuthCache 60',    qr/DbsyncWfAuthCache takes a time and the names of providers/],
    ['DbsyncWfAuthCache',       qr/as in DbsyncWfAuthCache 60 file/],
    ['DbsyncWfAuthCache file 60', qr/DbsyncWfAuthCache must have a time from 0 to 1h, .* not "file"/],
    ['DbsyncWfAuthCache 3601 file', qr/from 0 to 1h/],
    ['DbsyncWfAuthCache -1 file', qr/from 0 to 1h/],
    ['DbsyncWfAuthCache 60 nobody', qr/no provider "nobody" that checks passwords: load its module/],
    ['DbsyncWfAuthCache 60 file dbsync-wf-cache', qr/cannot remember for itself/],
    ["<Directory />\nDbsyncWfAuthCache 60 file\n</Directory>",
        qr/DbsyncWfAuthCache has no effect in <Directory>/],
    ['DbsyncWfCorsOrigins',     qr/DbsyncWfCorsOrigins takes origins/],
    ['DbsyncWfCorsOrigins *',   qr/cannot be "\*": .* Name each origin/],
    ['DbsyncWfCorsOrigins https://a.example *', qr/cannot be "\*"/],
    ['DbsyncWfCorsOrigins null', qr/cannot be "null"/],
    ['DbsyncWfCorsOrigins none https://a.example', qr/none must stand alone/],
    map({["DbsyncWfCorsOrigins $_", qr/must be origins as browsers spell them: .*\Q$_\E/]}
        qw(a.example https://a.example/ https://a.example/x https://A.example HTTPS://a.example
            https://*.example https://a@b.example https://a.example: https://a.example:0
            https://a.example:65536 https://a.example:123456 https:///x https://[::1 ://a https:/a
            https://a.example?x), 'https://a.example,https://b.example'),
    ['DbsyncWfCorsOrigins https://a.example:443', qr/without the port that is the scheme's own/],
    ['DbsyncWfCorsOrigins http://a.example:80', qr/without the port that is the scheme's own/],
    ["<Files x>\nDbsyncWfCorsOrigins https://a.example\n</Files>",
        qr/DbsyncWfCorsOrigins has no effect in <Files>/],
    ['DbsyncWfMaxBody 0',       qr/DbsyncWfMaxBody must be .* from 1 to 64M/],
    ['DbsyncWfMaxBody 65M',     qr/from 1 to 64M/],
    ['DbsyncWfMaxBody 1.5M',    qr/from 1 to 64M/],
    ['DbsyncWfProjects no/such/folder', qr/DbsyncWfProjects must be an existing folder/],
    ['DbsyncWfProjects conf/httpd.conf', qr/DbsyncWfProjects must be an existing folder/],
    ["<VirtualHost *:80>\nDbsyncWfThreads 2\n</VirtualHost>", qr/DbsyncWfThreads cannot occur within/],
    ["<VirtualHost *:80>\nDbsyncWfStateDir x\n</VirtualHost>", qr/DbsyncWfStateDir cannot occur within/],
    ["<VirtualHost *:80>\nDbsyncWfQueueLimit 2\n</VirtualHost>", qr/DbsyncWfQueueLimit cannot occur within/],
    ["<Location /x>\nDbsyncWfKillGrace 2\n</Location>", qr/DbsyncWfKillGrace not allowed|cannot occur/],
    ['DbsyncWfStateDir ' . 'x' x 120 . "\n<Location /x>\nSetHandler dbsync-wf\n</Location>",
        qr/DbsyncWfStateDir/],
    ["<LocationMatch ^/x>\nSetHandler dbsync-wf\n</LocationMatch>", qr/<Location "/],
    ["<Location ~ ^/x>\nSetHandler dbsync-wf\n</Location>", qr/<Location "/],
    ['SetHandler dbsync-wf', qr/<Location "/],
    ["<Directory />\n${projects}</Directory>",
        qr/DbsyncWfProjects has no effect in <Directory>: write it in <Location>/],
    ["<DirectoryMatch ^/x>\nDbsyncWfMaxBody 2M\n</DirectoryMatch>",
        qr/DbsyncWfMaxBody has no effect in <DirectoryMatch>/],
    ["<Directory />\n<Files x>\nDbsyncWfMaxBody 2M\n</Files>\n</Directory>",
        qr/DbsyncWfMaxBody has no effect in <Files>/],
);
for my $case (@bad) {
    my ($lines, $message) = @{$case};
    my $name = substr $lines =~ s/\n/ /gr, 0, 60;
    my ($ok, $said) = configtest("$lines\n");
    ok(!$ok, "refused: $name");
    like($said, $message, 'and it says what to write');
}

# The reference that is shipped. Its folders are of a system, so those of the test take their place.
open my $in, '<', "$vars{top_dir}/conf/dbsync_wf.conf" or die "conf/dbsync_wf.conf: $!\n";
my $reference = do { local $/ = undef; <$in> };
$reference =~ s/^(\s*#?\s*DbsyncWfProjects\s+).*/$1"$vars{t_state}\/projects"/mg;
$reference =~ s/^(\s*#?\s*AuthUserFile\s+).*/$1"$vars{t_state}\/users"/mg;
$reference =~ s/^(\s*#?\s*CustomLog\s+)\S+/$1"$vars{t_logs}\/configtest_log"/mg;
$reference =~ s/^LoadModule dbsync_wf_module.*\n//mg;
$reference =~ s/^(\s*#?\s*DbsyncWfStateDir\s+).*/$1"$vars{t_state}\/runs"/mg;
my ($ok, $said) = configtest($reference);
ok($ok, 'conf/dbsync_wf.conf is accepted') or diag($said);
# So is every directive that it shows as a comment.
($ok, $said) = configtest($reference =~ s/^#(?=\S|    Require)//mgr);
ok($ok, 'and so it is with all of its examples in force') or diag($said);

done();

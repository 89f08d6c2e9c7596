#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Pages of another origin, in a real browser that has a user's password: whatever they try, nothing is
# started, interrupted or configured. An origin that DbsyncWfCorsOrigins names may do all of it, by script.
use strict;
use warnings FATAL => 'all';
use WfBrowser ();
use WfConfig qw(free_port);
use WfHttpd ();
use WfTest;

my $httpd = WfHttpd->new('browser');
my $folder = $httpd->folder;
my $page_port = free_port();
my $base = "http://127.0.0.1:$httpd->{port}/cw/api/v2";
# Two other origins: of the same site, for there a port does not count, and of another.
my ($same_site, $cross_site) = map {"http://$_:$page_port"} '127.0.0.1', 'localhost';

open my $out, '>', "$folder/page.html" or die "page.html: $!\n";
print {$out} "<!doctype html><title>a page</title><body></body>\n";
close $out or die "page.html: $!\n";

sub configuration
{
    my (@lines) = @_;
    return join "\n", qq(LogFormat "%m %U%q %>s %u" asked), qq(CustomLog "$folder/access" asked),
        "Listen 127.0.0.1:$page_port", "<VirtualHost 127.0.0.1:$page_port>", 'ServerName page.example',
        qq(DocumentRoot "$folder"), 'ForceType text/html', qq(CustomLog "$folder/pages" asked),
        "</VirtualHost>\n", @lines;
}

# What has been asked of a run, an interrupt or a configuration since `access` was so long.
sub asked
{
    my ($from) = @_;
    open my $in, '<', "$folder/access" or die "access: $!\n";
    seek $in, $from, 0 or die "access: $!\n";
    return grep {m{/(?:run\?|interrupt/|configurations/).*\n\z}} <$in>;
}

# Each is: what it is, what the page's script does, and what the API is asked and answers. That the
# browser sends alice's password is what makes it an attack. `run`, `interrupt` and `configuration` are
# URLs.
my $interrupted = 'GET /interrupt 403 alice';
my @attempts = (
    ['a form, text/plain', 'form("POST", run, "text/plain")', 'POST /run 415 alice'],
    ['a form, urlencoded', 'form("POST", run, "application/x-www-form-urlencoded")',
        'POST /run 415 alice'],
    ['a form, multipart', 'form("POST", run, "multipart/form-data")', 'POST /run 415 alice'],
    ['a form that interrupts', 'form("POST", interrupt, "text/plain")', 'POST /interrupt 403 alice'],
    ['a form that interrupts by GET', 'form("GET", interrupt, "")', $interrupted],
    ['an image', 'element("img", {src: interrupt})', $interrupted],
    ['an image with an origin', 'element("img", {crossOrigin: "use-credentials", src: interrupt})',
        $interrupted],
    ['a program', 'element("script", {src: interrupt})', $interrupted],
    ['a style', 'element("link", {rel: "stylesheet", href: interrupt})', $interrupted],
    ['a frame', 'element("iframe", {src: interrupt})', $interrupted],
    ['an object', 'element("object", {data: interrupt})', $interrupted],
    ['a prefetch', 'element("link", {rel: "prefetch", href: interrupt})', $interrupted],
    ['a preload', 'element("link", {rel: "preload", as: "image", href: interrupt})', $interrupted],
    ['fetch, interrupt', 'fetch(interrupt, {credentials: "include"}).then(read, denied)', $interrupted],
    ['fetch without CORS, interrupt', 'fetch(interrupt, {mode: "no-cors", credentials: "include"})',
        $interrupted],
    ['fetch without CORS, interrupt by POST',
        'fetch(interrupt, {method: "POST", mode: "no-cors", credentials: "include"})',
        'POST /interrupt 403 alice'],
    ['fetch without CORS, run', 'fetch(run, {method: "POST", mode: "no-cors", credentials: "include",'
            . ' headers: {"Content-Type": "application/json"}, body: "{}"})', 'POST /run 415 alice'],
    ['fetch, run', 'fetch(run, {method: "POST", credentials: "include",'
            . ' headers: {"Content-Type": "application/json"}, body: "{}"}).then(read, denied)',
        'OPTIONS /run 401 -'],
    ['fetch, run, with a password of its own', 'fetch(run, {method: "POST", body: "{}", headers: '
            . '{"Content-Type": "application/json", "Authorization": "Basic YWxpY2U6d29uZGVybGFuZA=="}})'
            . '.then(read, denied)', 'OPTIONS /run 401 -'],
    ['a beacon', 'navigator.sendBeacon(run, "{}")', 'POST /run 415 alice'],
    ['a beacon, JSON', 'navigator.sendBeacon(run, new Blob(["{}"], {type: "application/json"}))',
        'OPTIONS /run 401 -'],
    ['a form that configures', 'form("POST", configuration, "text/plain")', 'POST /configurations 405 alice'],
    ['fetch, configure', 'fetch(configuration, {method: "PUT", credentials: "include", body: "{}",'
            . ' headers: {"Content-Type": "application/json"}}).then(read, denied)',
        'OPTIONS /configurations 401 -'],
    ['fetch, remove', 'fetch(configuration, {method: "DELETE", credentials: "include"}).then(read, denied)',
        'OPTIONS /configurations 401 -'],
    ['a link', 'setTimeout(() => { location.href = interrupt; }, 0)', $interrupted],
);
my $helpers = <<'END';
const [run, interrupt, configuration] = args;
const read = answer => { throw new Error("an answer could be read: " + answer.status); };
const denied = error => { if (!(error instanceof TypeError)) throw error; };
const element = (name, properties) => {
    document.body.append(Object.assign(document.createElement(name), properties));
};
const form = (method, action, enctype) => {
    const name = "frame" + document.forms.length;
    const made = Object.assign(document.createElement("form"), {method, action, enctype, target: name});
    const input = Object.assign(document.createElement("input"), {name: '{"a": "', value: '"}'});
    document.body.append(Object.assign(document.createElement("iframe"), {name}));
    made.append(input);
    document.body.append(made);
    made.submit();
};
END

sub urls
{
    my ($pid) = @_;
    return ("$base/projects/600/tasks/noop/run?trigger=API", "$base/interrupt/$pid",
        "$base/configurations/600/noop");
}

# "GET /interrupt 403 alice" of a line of the log, so that the table can be read.
sub brief
{
    my ($line) = @_;
    my ($method, $path, $status, $user) = split ' ', $line;
    my ($what) = $path =~ m{/(run|interrupt|configurations)\b};
    return "$method /$what $status $user";
}

sub attempt
{
    my ($browser, $origin, $pid, $name, $body, $expected) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $browser->visit("$origin/page.html");
    my $from = -s "$folder/access" // 0;
    ok(eval { $browser->script("$helpers await $body; return 1;", urls($pid)) }, "$origin: $name")
        or diag($@);
    wait_for("what comes of $name", 20, sub { scalar asked($from) });
    is(join(', ', map { brief($_) } asked($from)), $expected, "$origin: $name: what came of it");
    return;
}

# The runs that there are, and how the task is configured.
sub runs
{
    return join ' ', (map {"$_->{pid} $_->{status}"} @{$httpd->api('GET', '/runs?limit=500')->json->{runs}}),
        $httpd->api('GET', '/configurations/600/noop')->body;
}

# ---- nobody is named ----

$httpd->configure(configuration());
$httpd->start;
my $browser = WfBrowser->new("$folder/browser");
$browser->visit($base =~ s{//}{//alice:wonderland@}r . '/runs');
like($browser->source, qr/"runs"/, 'the browser has the password');
my $pid = $httpd->post_run('600', 'long');
wait_for('the run to start', 20, sub { $httpd->run_get($pid)->{status} eq 'running' });
my $before = runs();
for my $origin ($same_site, $cross_site) {
    attempt($browser, $origin, $pid, @{$_}) for @attempts;
    is(runs(), $before, "$origin: no run was started, and none has ended");
    ok(!exists $httpd->run_get($pid)->{interruptTime}, "$origin: nobody has interrupted one");
}
ok(scalar(grep { $_->{message} =~ /blocked by CORS policy/ } $browser->console),
    'the browser says why it keeps answers from them');

# The page that may is the API's own.
$browser->visit("$base/runs");
is($browser->script('return (await fetch(args[0])).status', "$base/status/$pid"), 200,
    'a page of the same origin reads a status');

# ---- the other site is named ----

my $generations = $httpd->log_lines(qr/resuming normal operations/);
$httpd->configure(configuration("DbsyncWfCorsOrigins $cross_site"));
$httpd->control('graceful');
wait_for('httpd to take up its configuration', 30,
    sub { $httpd->log_lines(qr/resuming normal operations/) > $generations });
my %simple = map { $_->[0] => $_ } @attempts;
attempt($browser, $cross_site, $pid, @{$simple{$_}})
    for 'an image', 'an image with an origin', 'a form that interrupts', 'a form, text/plain', 'a link';
attempt($browser, $same_site, $pid, @{$simple{$_}}) for 'fetch, interrupt', 'fetch, run';
is(runs(), $before, 'an image or a form of a named origin does nothing, nor does another origin');

$browser->visit("$cross_site/page.html");
my $did = $browser->script(<<'END', $base);
const [base] = args;
const own = {credentials: "include"};
const run = await fetch(base + "/projects/600/tasks/long/run?trigger=API", {...own, method: "POST",
    headers: {"Content-Type": "application/json", "Idempotency-Key": "a-browser"}, body: '{"a": 1}'});
const {pid} = await run.json();
const status = await fetch(base + "/status/" + pid, own);
const again = await fetch(base + "/status/" + pid + "?wait=20", {...own,
    headers: {"If-None-Match": status.headers.get("ETag")}});
const none = await fetch(base + "/status/none", own);
const configuration = base + "/configurations/600/noop";
const before = await fetch(configuration, own);
const json = {"Content-Type": "application/json", "If-Match": before.headers.get("ETag")};
const set = await fetch(configuration, {...own, method: "PUT", headers: json, body: "{}"});
const late = await fetch(configuration, {...own, method: "PUT", headers: json, body: "{}"});
const removed = await fetch(configuration, {...own, method: "DELETE",
    headers: {"If-Match": set.headers.get("ETag"), "X-Requested-With": "a script"}});
const interrupt = await fetch(base + "/interrupt/" + pid, own);
const other = await fetch(base + "/interrupt/" + pid, {...own, method: "POST"});
return {pid, run: run.status, location: run.headers.get("Location"), status: status.status,
    etag: status.headers.get("ETag"), again: again.status, none: (await none.json()).type,
    interrupt: interrupt.status, other: other.status, set: set.status, late: late.status,
    removed: removed.status};
END
is($did->{run}, 202, 'a named origin runs a task');
like($did->{location}, qr{/status/\Q$did->{pid}\E$}, 'and reads where');
is($did->{status}, 200, 'reads its status');
like($did->{etag}, qr/^"\w+"$/, 'and its tag');
like($did->{again}, qr/^(?:200|304)$/, 'waits for a change');
is($did->{none}, 'urn:dbsync-wf:problem:unknown-run', 'reads a problem');
is_deeply([@{$did}{qw(set late removed)}], [200, 412, 204], 'configures, and removes what it has set');
is($did->{interrupt}, 202, 'and interrupts');
like($did->{other}, qr/^20[02]$/, 'by POST as well');
is($httpd->run_end($did->{pid})->{status}, 'interrupted', 'which ends the run');
is($browser->script('return (await fetch(args[0], {headers: {Authorization: args[1]}})).status',
    "$base/status/$pid", 'Basic YWxpY2U6d29uZGVybGFuZA=='), 200, 'with a password of its own, too');
is($httpd->run_get($pid)->{status}, 'running', 'the first run has gone on all the time');

$browser->quit;
$httpd->stop;

done();

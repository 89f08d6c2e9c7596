#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The console goes along with what happens: runs that others start, a server that is away for a while, a password
# that is no longer good.
use strict;
use warnings FATAL => 'all';
use WfConsole;
use WfTest;

my $console = WfConsole->new('console_live', {901 => {id => '901', name => 'Live', tasks => {
    noop => {name => 'Nothing', flows => [{actions => [{action => 'variable', set => {a => 1}}]}]},
    slow => {name => 'Step by step', flows => [{actions => [(map { {action => 'exec', name => "step $_",
        command => ['sh', '-c', "echo of step $_; sleep 0.3"]} } 1 .. 4), {action => 'exec', name => 'the last',
        command => ['sleep', '300']}]}]},
}}}, 'DbsyncWfCallbackHosts 127.0.0.1:1');
my $browser = $console->browser;
my $httpd = $console->httpd;

sub rows_are
{
    my ($number, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $is = 0;
    eval { wait_for($name, 20, sub { ($is = () = $browser->all('.runs tbody tr')) == $number }) };
    return is($is, $number, $name);
}

# The pids in the list.
sub shown
{
    return $browser->script('return [...document.querySelectorAll(".runs a")].map(one => one.hash.slice(6))');
}

# ---- the list ----

$console->go('runs');
wait_for('the list', 20, sub { $browser->text('.empty') =~ /Nothing has been run yet/ });
pass('an empty list says that it is');
my $first = $httpd->post_run('901', 'noop');
rows_are(1, 'a run that is started elsewhere appears');
wait_for('its end', 20, sub { $browser->text('.runs .badge') eq 'completed' });
$browser->script('document.querySelector(".runs a").focus()');
$httpd->run_end($httpd->post_run('569', '14'));
rows_are(2, 'so does the next');
is($browser->script('return document.activeElement.getAttribute("href")'), "#/run/$first",
    'and who is on a row stays there');
is(($browser->texts('.runs tbody td'))[0] =~ s/\s+/ /r, 'A task that fails 569/14', 'the newest is first');
$browser->click($browser->named(button => 'Pause'));
$httpd->run_end($httpd->post_run('901', 'noop'));
is(scalar(() = $browser->all('.runs tbody tr')), 2, 'it can be paused');
$browser->click($browser->named(button => 'Pause'));
rows_are(3, 'and goes on');

$browser->script('const one = document.querySelector("#of-status"); one.value = "error"');
$browser->click($browser->named(button => 'Show'));
wait_for('the filter', 20, sub { $browser->script('return location.hash') =~ /status=error/ });
rows_are(1, 'a filter leaves what it names');
$httpd->run_end($httpd->post_run('901', 'noop'));
my $failed = $httpd->post_run('569', '14');
rows_are(2, 'and what comes of that');
$browser->script('history.back()');
rows_are(5, 'Back shows all again');

$httpd->post_run('901', 'noop') for 1 .. 60;
my $all = [map { $_->{pid} } @{$httpd->api('GET', '/runs?limit=500')->json->{runs}}];
wait_for('the newest', 20, sub { (shown()->[0] // '') eq $all->[0] });
my $shown = shown();
is_deeply($shown, [@{$all}[0 .. $#{$shown}]], 'when more come than a page has, none is missing between');
$console->go('runs');
rows_are(50, 'there are pages');
$browser->click($browser->named(button => 'More'));
rows_are(65, 'and more of them');
is_deeply(shown(), $all, 'in order');
$console->go("runs?project=901&task=noop&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z");
wait_for('the list', 20, sub { $browser->text('.empty') =~ /No run matches/ });
isnt($browser->script('return document.querySelector("#of-from").value'), '', 'a link says what is filtered');

# ---- a run ----

$console->go('test/901/slow');
$browser->click($browser->named(button => qr/^Run/));
wait_for('progress', 20, sub { $browser->script('return document.querySelector("progress")?.position ?? 0') > 0 });
pass('progress is shown');
wait_for('output', 20, sub { $browser->text('section[aria-label=Run] .box') =~ /of step 4/ });
is($browser->text('.run-head .badge'), 'running', 'and output while it runs');
like($browser->script('return document.getElementById("said").textContent'), qr/is running/, 'which is announced');
$browser->click($browser->named(link => qr/run.s page/));
wait_for('its page', 20, sub { grep { $_ eq 'the last' } $browser->texts('.line strong') });
pass('the time line shows what it does');

# ---- what becomes of a callback after the run's end ----

my $here = $browser->script('return location.hash');
is($httpd->api('PUT', '/configurations/901/noop', json => '{"callback": {"url": "https://127.0.0.1:1/hook",'
    . '"secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}}')->status, 200, 'a callback that nobody takes');
$console->go('run/' . $httpd->post_run('901', 'noop'));
$console->status_becomes('completed', 'the run completes');
wait_for('its attempt', 30, sub { $browser->text('section[aria-label=Outcome]') =~ /Delivery\s+pending.*Reason\s+\w/s });
like($browser->text('section[aria-label=Outcome]'), qr/Next attempt/, 'attempts are shown as they are made');
$browser->script('location.hash = args[0]', $here);
$console->status_becomes('running', 'the other one still runs');

# ---- the server is away ----

my ($pid) = $browser->script('return location.hash') =~ m{([^/]+)\z};
$httpd->stop;
wait_for('the banner', 30, sub { $browser->text('#banner') =~ /Trying again/ });
pass('that the server is away is shown');
$httpd->start;
$console->status_becomes('error', 'it goes on when the server is there again');
wait_for('the banner to go', 30, sub { $browser->text('#banner') eq '' });
pass('and no longer says that it is away');

$console->go('test/569/15');
$httpd->stop;
$browser->click($browser->named(button => qr/^Run/));
wait_for('the banner', 30, sub { $browser->text('#banner') =~ /Trying again/ });
$httpd->start;
$console->status_becomes('completed', 'a run that could not be sent is sent again');
is(scalar @{$httpd->api('GET', '/runs?project=569&task=15')->json->{runs}}, 1, 'and started once');

# ---- the password is no longer good ----

# The browser asks for another one, in a window that no test reaches. This is what the page is told when one
# closes that.
$console->go('');
$browser->script('window.fetch = async () => new Response("", {status: 401});'
    . 'location.hash = "#/test/569/12";');
wait_for('the banner', 30, sub { $browser->text('#banner') =~ /not accepted any more/ });
$browser->click($browser->named(button => 'Sign in again'));
wait_for('the page', 30, sub { eval { $browser->text('#banner') eq '' && $browser->all('#body') } });
pass('that a password is not accepted is shown, and one can sign in again');

$console->is_quiet('nothing else was wrong with the page', qr/ERR_|status of 503/);
$console->quit;

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The console changes what may be run through the API: edits, removes, and sets it again.
use strict;
use warnings FATAL => 'all';
use WfConsole;
use WfTest;

my $console = WfConsole->new('console_edit', {}, 'DbsyncWfCallbackHosts hooks.example.org');
my $browser = $console->browser;
my $httpd = $console->httpd;

sub configuration
{
    my ($task) = @_;
    return $httpd->api('GET', "/configurations/569/$task");
}

sub configure
{
    my ($task, $text) = @_;
    my $answer = $httpd->api('PUT', "/configurations/569/$task", json => $text);
    die 'PUT: ', $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    return;
}

# The field's own mistake.
sub wrong_at
{
    my ($id) = @_;
    return $browser->script('const one = document.getElementById(args[0]); return one.getAttribute("aria-invalid") '
        . '=== "true" ? one.getAttribute("aria-describedby").split(" ").map(id => document.getElementById(id))'
        . '.find(one => one.className === "wrong").textContent : ""', $id);
}

sub save
{
    $browser->click($browser->named(button => 'Save'));
    return;
}

# Waits for the first task's state in the overview.
sub shows
{
    my ($state, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $is = '';
    eval { wait_for($state, 20, sub { ($is = $browser->text('.task .badge')) eq $state }) };
    return is($is, $state, $name);
}

# Waits for the line at the bottom, and gives it.
sub toast
{
    my ($like) = @_;
    return wait_for("a message $like", 20, sub { my $is = $browser->text('.toast'); $is =~ $like ? $is : undef });
}

# ---- edit ----

$console->go('');
$browser->click($browser->named(link => 'Edit Upsert customer'));
$browser->fill($browser->named(textbox => 'Description'), 'Customers, from <b>CRM</b>');
$browser->fill($browser->named(textbox => 'Example body'), '{"name": "Ann", "size": 10000000000000000000.50}');
$browser->fill($browser->named(textbox => 'JSON Schema'), '{"type": "object", "required": "name"}');
$browser->fill($browser->named(spinbutton => 'Runs'), '60');
save();
wait_for('the mistake', 20, sub { $browser->text('.notice') });
like($browser->text('.notice'), qr/It was not saved.*In seconds: must be a whole number from 1/s,
    'a mistake is told on top');
is($browser->script('return document.activeElement.className'), 'notice bad', 'which has the focus');
like(wrong_at('seconds'), qr/whole number/, 'and at its field');
$browser->click($browser->one('.notice a'));
is($browser->script('return document.activeElement.id'), 'seconds', 'to which it leads');
$browser->fill($browser->one('#seconds'), '30');
$browser->fill($browser->one('#url'), 'https://elsewhere.example.org/hook');
save();
wait_for('the mistake', 20, sub { $browser->text('.notice') =~ /breaks a rule/ });
like(wrong_at('schema'), qr/required/, 'a schema that is none is told of at its field');
$browser->fill($browser->one('#schema'), '');
$browser->click($browser->named(button => 'Generate a secret'));
my $secret = $browser->text('.copyable code');
like($secret, qr{^whsec_[A-Za-z0-9+/]{43}=$}, 'a secret is made');
is($browser->script('return document.querySelector("#secret").value'), $secret, 'and taken');
save();
wait_for('the mistake', 20, sub { $browser->text('.notice') =~ /breaks a rule.*host/s });
like(wrong_at('url'), qr/DbsyncWfCallbackHosts/, 'what the server refuses is told at the field that it names');
is(wrong_at('seconds'), '', 'and no longer at others');
$browser->fill($browser->one('#url'), 'https://hooks.example.org/hook');
$browser->fill($browser->one('#schema'), '{"type": "object", "required": ["name"]}');
save();
toast(qr/^Saved: Upsert customer/);
my $now = configuration('12');
is_deeply([@{$now->json}{qw(description source rateLimit callback schema enabled)}], ['Customers, from <b>CRM</b>',
    'stored', {runs => 60, seconds => 30}, {url => 'https://hooks.example.org/hook', hasSecret => JSON::PP::true},
    {type => 'object', required => ['name']}, JSON::PP::true], 'it is stored');
like($now->body, qr/"size": ?10000000000000000000\.50/, 'digit for digit');
wait_for('the overview', 20, sub { $browser->text('.task') =~ /60 runs in 30 s/ });
pass('and shown');
like($browser->text('.task'), qr/Customers, from <b>CRM/, 'as text');

$console->go('test/569/12');
$browser->script('const area = document.querySelector("#body"); area.value = "{}"; area.dispatchEvent(new Event("input"))');
$browser->click($browser->named(button => qr/^Run/));
wait_for('the refusal', 20, sub { $browser->text('section[aria-label=Run]') =~ /does not satisfy.*name/s });
pass('a body that does not satisfy the schema is refused, and why is shown');

# ---- what was saved is there again, but for the secret ----

$console->go('edit/569/12');
is($browser->script('return document.querySelector("#example").value'),
    "{\n  \"name\": \"Ann\",\n  \"size\": 10000000000000000000.50\n}", 'the example is there');
is($browser->script('return document.querySelector("#secret").value'), '', 'the secret is not');
unlike($browser->source, qr/whsec_[A-Za-z0-9+]/, 'nowhere');
$browser->click($browser->named(checkbox => 'It may be run through the API'));
save();
toast(qr/^Saved/);
is(configuration('12')->json->{enabled}, JSON::PP::false, 'it is disabled');
is(configuration('12')->json->{callback}{hasSecret}, JSON::PP::true, 'and its secret is kept');
shows(disabled => 'which the overview shows');
$console->go('test/569/12');
like($browser->text('.notice'), qr/is disabled/, 'and the test');
$browser->click($browser->named(button => qr/^Run/));
wait_for('the refusal', 20, sub { $browser->text('section[aria-label=Run]') =~ /may not be run/ });
pass('a run is refused, and why is shown');

# ---- what is not saved is not lost without a question ----

$console->go('edit/569/12');
$browser->fill($browser->named(textbox => 'Description'), 'Something else');
$browser->click($browser->named(link => 'Runs'));
$browser->one('dialog[open]');
$browser->press('Escape');
wait_for('the dialog to close', 10, sub { !$browser->all('dialog') });
is($browser->script('return location.hash'), '#/edit/569/12', 'Escape stays');
is($browser->script('return document.querySelector("#description").value'), 'Something else', 'with all of it');

# ---- somebody else was faster ----

configure('12', '{"description": "Theirs"}');
save();
wait_for('the conflict', 20, sub { $browser->text('.notice') =~ /changed meanwhile/ });
is(configuration('12')->json->{description}, 'Theirs', 'a change of another is not lost');
$browser->click($browser->named(button => qr/^Load theirs/));
wait_for('theirs', 20, sub { $browser->script('return document.querySelector("#description")?.value') eq 'Theirs' });
$browser->fill($browser->named(textbox => 'Description'), 'Mine');
configure('12', '{"description": "Theirs again"}');
save();
$browser->click($browser->named(button => qr/^Overwrite theirs/));
toast(qr/^Saved/);
is(configuration('12')->json->{description}, 'Mine', 'unless one says so');

$console->go('edit/569/12');
$browser->click($browser->named(button => qr/^Use the project file/));
$browser->one('dialog[open]');
$browser->click($browser->one('dialog .primary'));
toast(qr/^Saved/);
is(configuration('12')->json->{source}, 'project', 'it is the project file\'s again');

# ---- remove, and undo ----

sub remove
{
    my ($answer) = @_;
    $browser->click($browser->named(button => 'Remove Upsert customer'));
    $browser->one('dialog[open]');
    $browser->click($browser->named(button => $answer));
    wait_for('the dialog to close', 10, sub { !$browser->all('dialog') });
    return;
}

$console->go('');
remove('Cancel');
is(configuration('12')->status, 200, 'it is asked first');
remove('Remove');
toast(qr/^Removed: Upsert customer/);
is_problem(configuration('12'), 404, 'removed', 'it is removed');
is_problem($httpd->post('569', '12', '{}'), 404, 'removed', 'and cannot be run');
shows(removed => 'which is shown');
$browser->click($browser->named(button => 'Undo'));
wait_for('it to be set again', 20, sub { configuration('12')->status == 200 });
is(configuration('12')->json->{source}, 'project', 'as it was');
shows(enabled => 'which is shown');

# Also from another view, and by another one of the same kind.
remove('Remove');
toast(qr/^Removed/);
$browser->script('location.hash = "#/runs"');
$browser->named(button => 'Pause');
$browser->script('location.hash = "#/"');
shows(removed => 'it is removed for every view');
$browser->click($browser->named(button => 'Undo'));
shows(enabled => 'and set again for every view');

configure('12', '{"description": "Mine", "callback": {"url": "https://hooks.example.org/", "secret": "' . $secret . '"}}');
$console->go('');
remove('Remove');
toast(qr/^Removed/);
$console->go('');
shows(removed => 'one that was removed is still there when the page is loaded anew');
$browser->click($browser->named(button => 'Set again Upsert customer'));
wait_for('it to be set again', 20, sub { configuration('12')->status == 200 });
is_deeply([@{configuration('12')->json}{qw(description callback)}], ['Mine', {url => 'https://hooks.example.org/',
    hasSecret => JSON::PP::true}], 'with all that it was');

# ---- a question about a view goes with it ----

$browser->click($browser->named(button => 'Remove Upsert customer'));
$browser->one('dialog[open]');
$browser->script('location.hash = "#/runs"');
$browser->named(button => 'Pause');
is(scalar(() = $browser->all('dialog')), 0, 'a dialog does not outlive its view');

$console->is_quiet('nothing was wrong with the page', qr{status of 4\d\d});
$console->quit;

done();

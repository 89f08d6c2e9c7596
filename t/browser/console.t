#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The console, in a real browser: tasks are tested, followed and interrupted with it.
use strict;
use warnings FATAL => 'all';
use WfConsole;
use WfTest;

my $console = WfConsole->new('console');
my $browser = $console->browser;

# ---- what can be run ----

$console->go('');
is($browser->text('.base code'), $console->base, 'the base URL is shown');
is_deeply([$browser->texts('.card-head h2')], ['CRM to ERP', 'A program, and what follows when it fails'],
    'the projects are there');
like($browser->text('.task .copyable code'), qr{^POST\Q@{[$console->base]}\E/projects/569/tasks/12/run\?trigger=API$},
    'with the endpoint of each task');
$console->shot('overview');

# ---- one click on Test, one on Run ----

$browser->click($browser->named(link => 'Test Upsert customer'));
$browser->click($browser->named(button => qr/^Run/));
$console->status_becomes('completed', 'a task is tested');
like($browser->text('section[aria-label=Run] .box'), qr/^John Doe lives at 123 Main Street, Nashville\.$/,
    'its result is shown');
wait_for('its output', 20, sub { ($browser->texts('section[aria-label=Run] .box'))[1] =~ /ends: completed/ });
like($browser->script('return document.title'), qr/^Test Upsert customer/, 'the title says which');
$console->shot('test');

$console->go('test/569/13');
$browser->click($browser->named(button => qr/^Run/));
$console->status_becomes('running', 'a long task runs');
$browser->click($browser->named(button => 'Interrupt'));
$console->status_becomes('interrupted', 'and is interrupted');
$browser->click($browser->named(link => qr/run.s page/));
wait_for('its page', 20, sub { ($browser->texts('.line strong'))[-1] // '' eq 'Interrupted' });
$console->shot('run');

# ---- by the keyboard alone ----

$console->go('');
$browser->press('Tab');
is($console->focused, 'Skip to the content', 'the first stop leads past the frame');
$browser->press('Enter');
is($browser->script('return document.activeElement.id'), 'main', 'to the content');
$console->tab_to('Test Upsert customer');
$browser->press('Enter');
wait_for('the view', 20, sub { $browser->script('return document.activeElement.tagName === "H1" '
    . '&& document.activeElement.innerText') =~ /^Test Upsert/ });
$console->tab_to(qr/^Request body/);
$browser->press('Control+Enter');
$console->status_becomes('completed', 'a task is run');
$console->tab_to(qr/^Back to the example/); # out of the editor, and on
$console->tab_to(qr/run.s page/);
$browser->press('Enter');
wait_for('its page', 20, sub { $browser->script('return document.title') =~ /^Run / });
is($browser->script('return document.activeElement.tagName'), 'H1', 'each view begins at its heading');
$browser->script('history.back()');
wait_for('the view before', 20, sub { $browser->script('return document.title') =~ /^Test Upsert/ });
pass('Back leads back');

$console->is_quiet('nothing was wrong with the page');
$console->quit;

# ---- where there is nothing yet ----

$console = WfConsole->new('console_empty', {}, 'DbsyncWfProjects ' . $console->httpd->folder . '/browser');
$console->go('');
like($console->browser->text('.empty'), qr/nothing to run yet.*DbsyncWfProjects/s, 'it says what to do');
$console->go('runs');
like($console->browser->text('main .empty'), qr/Nothing has been run yet/, 'nor is there anything to be seen of runs');
$console->is_quiet('nothing was wrong with the page');
$console->quit;

done();

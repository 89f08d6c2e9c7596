#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The console shows whatever names and payloads there are as text, keeps its shape, and counts no digit short; what
# it offers to paste is what it shows.
use strict;
use warnings FATAL => 'all';
use utf8;
use JSON::PP ();
use WfConsole;
use WfTest;

my $json = JSON::PP->new->utf8;
my $characters = JSON::PP->new;
my $script = '<script>alert(1)</script><img src=x onerror=alert(1)>';
my $turned = "\x{202E}drawkcab\x{202D}\x{2067}";
my $digits = '{"number": 123456789012345678901234567890.10, "twice": 1, "twice": 2, "exponent": 1E400}';
my $nasty = {q => q('"\\`$(touch /tmp/never)${HOME}!! ; rm), control => "a\tb\nc\x{7F}\x{9B}31m", turned => $turned,
    script => $script};
my $task = sub {
    my ($name, $example) = @_;
    return {name => $name, $example ? (example => $example) : (),
        flows => [{name => $script, actions => [{action => 'exec', name => "$script$turned", command => ['cat']}]}]};
};
my $console = WfConsole->new('console_hostile', {900 => {
    id => '900', name => "$script $turned", tasks => {
        a => $task->("$script$turned", $nasty), b => $task->('x' x 60_000, {long => 'x' x 60_000}), c => $task->('plain'),
        (map { ("t$_" => $task->("number $_")) } 1 .. 120),
    },
}});
my $browser = $console->browser;

sub is_inert
{
    my ($name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is($browser->script('return document.querySelectorAll("main script, main img, [onerror]").length'), 0,
        "$name: nothing became markup");
}

# ---- names ----

$browser->view_size(360, 740);
$console->go('');
is_inert('overview');
$console->fits('overview, 360 px wide');
my ($heading) = grep {/script/} $browser->texts('h2');
is($heading, "$script $turned", 'a name is shown as it is');
is($browser->script('return getComputedStyle(document.querySelector("h2 bdi")).unicodeBidi'), 'isolate',
    'and turns nothing around it');
cmp_ok($browser->script('return Math.max(...[...document.querySelectorAll("h3")].map(one => one.offsetHeight))'), '<', 400,
    'a long one is cut');
$browser->view_size(1200, 800);

# ---- there is a filter where there are many tasks ----

$browser->fill($browser->named(textbox => 'Filter'), 'number 117');
wait_for('the filter', 10, sub { $browser->texts('.task') == 1 });
is($browser->text('.task h3'), 'number 117', 'the filter leaves what matches');
$browser->fill($browser->named(textbox => 'Filter'), 'nothing like this');
wait_for('the filter', 10, sub { $browser->texts('.task') == 0 });
like($browser->text('main'), qr/No task matches/, 'or says that nothing does');
$browser->fill($browser->named(textbox => 'Filter'), 'number');
wait_for('the filter', 10, sub { $browser->texts('.task') == 100 });
$browser->click($browser->named(button => 'Show more (20)'));
wait_for('the others', 10, sub { $browser->texts('.task') == 120 });
pass('of very many the first are shown at first');

# ---- a project that is broken ----

$console->write_project('902', '{"id": "902"');
$console->go('');
like($browser->text('.card .notice'), qr/file is broken/, 'a broken project says that it is');
$console->write_project('902', '{"id": "902", "tasks": {}}');

# ---- a command line ----

sub line_of
{
    my ($number) = @_;
    $console->go('');
    my $at = $browser->script('return [...document.querySelectorAll(".task")].findIndex(one => one.textContent'
        . '.includes(args[0]))', $number);
    $browser->click(($browser->all('.task details summary'))[$at]);
    $browser->one('.curls code');
    return map {s/\s+\z//r} $browser->texts('.curls code');
}

# What a shell makes of it, with this as curl.
sub by_shell
{
    my ($curl, @lines) = @_;
    my $file = $console->httpd->folder . '/line.sh';
    open my $out, '>:encoding(UTF-8)', $file or die "$file: $!\n";
    print {$out} map {"$_\n"} "curl() { $curl }", @lines;
    close $out or die "$file: $!\n";
    open my $in, '-|', 'sh', $file or die "sh: $!\n";
    my $said = do { local $/ = undef; <$in> };
    close $in;
    return $said;
}

my @lines = line_of('900/a');
unlike($lines[0], qr/[\x{7F}-\x{9F}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2066}-\x{2069}]/,
    'what is to be pasted has nothing in it that turns or controls');
my @arguments = split /\0/, by_shell(q(printf '%s\0' "$@" >&3;), 'exec 3>&1', $lines[0]);
is_deeply([@arguments[0 .. 5], $arguments[7]], ['-sS', '-u', 'USER', '-H', 'Content-Type: application/json',
    '--data-binary', $console->base . '/projects/900/tasks/a/run?trigger=API'], 'a shell sends what it says');
is_deeply($json->decode($arguments[6]), $nasty, 'and the body as it is, whatever is in it');
@lines = line_of('900/b');
like($lines[0], qr/--data-binary \@body\.json/, 'a body that is too long for a line comes from a file');
@lines = line_of('569/12');
my $pid = by_shell('command curl "$@";', (map {s/-u USER/-u alice:wonderland/r} @lines[0, 1]));
like($pid, qr/^[0-9a-f-]{36}\n\{"pid":"[0-9a-f-]{36}",.*"taskId":"12"/, 'the lines work as they are');

# ---- payloads ----

$console->go('test/900/a');
is_inert('test');
is_deeply($characters->decode($browser->script('return document.querySelector("#body").value')), $nasty,
    'the example is in the editor');
$browser->click($browser->named(button => qr/^Run/));
$console->status_becomes('completed', 'it runs');
is_inert('run');
is_deeply($characters->decode($browser->script('return document.querySelector("section[aria-label=Run] .box")'
    . '.textContent')), $nasty, 'its result is shown as it is');

# Typed by a script: a key after the other would take long.
sub body
{
    my ($text) = @_;
    $browser->script('const area = document.querySelector("#body"); area.value = args[0];'
        . 'area.dispatchEvent(new Event("input"));', $text);
    return;
}

body('{"a": [1, 2,]}');
wait_for('the mistake', 10, sub { $browser->text('#body-says') ne '' && $browser->text('#body-says') !~ /Valid/ });
is($browser->text('#body-says'), 'Line 1, column 13: a value is expected.', 'a mistake is named');
is($browser->script('return document.querySelector("#body").getAttribute("aria-invalid")'), 'true', 'for all');
$browser->click($browser->named(button => qr/^Run/));
is($browser->script('return document.activeElement.id'), 'body', 'and is not sent');
for my $case (['{"a": 1', 1, 8, 'the text ends too early'], ["[1\n2]", 2, 1, 'a comma, or ], is expected'],
    ['{a: 1}', 1, 2, 'a name in double quotes, or }, is expected'], ["['a']", 1, 2, 'a text is written in double quotes'],
    ['[01]', 1, 2, 'this is neither a number nor true, false or null'], ['1 2', 1, 3, 'nothing may follow the value'],
    ["\"a\nb\"", 1, 3, 'the text in quotes does not end on this line'], ['["\\x"]', 1, 4,
        'there is no such escape: a backslash is written \\\\'], ['', 1, 1, 'a value is expected'],
    ['{"a" 1}', 1, 6, 'a colon is expected'], ['[1}', 1, 3, 'a comma, or ], is expected'])
{
    my ($text, $line, $column, $message) = @{$case};
    is_deeply($browser->script('return (await import("./console.js")).jsonMistake(args[0])', $text),
        {line => $line, column => $column, message => $message}, "a mistake: " . $text =~ s/\n/ /r);
}

body($digits);
$browser->click($browser->named(button => 'Format Request body'));
like($browser->script('return document.querySelector("#body").value'),
    qr/^\{\n  "number": 123456789012345678901234567890\.10,\n  "twice": 1,\n  "twice": 2,\n  "exponent": 1E400\n\}$/,
    'formatting changes no digit');
$browser->click($browser->named(button => qr/^Run/));
wait_for('the result', 30, sub { ($browser->texts('section[aria-label=Run] .box'))[0] =~ /1E400/ });
like($browser->text('section[aria-label=Run] .box'), qr/123456789012345678901234567890\.10/, 'nor does a result');

# ---- a megabyte ----

$browser->view_size(360, 740);
$console->go('test/900/b');
$console->fits('a long example, 360 px wide');
$browser->script('const area = document.querySelector("#body"); area.value = JSON.stringify({long: "x".repeat(1e6)});'
    . 'area.dispatchEvent(new Event("input"));');
$console->fits('a long body, 360 px wide');
$browser->click($browser->named(button => qr/^Run/));
$console->status_becomes('completed', 'it runs');
$browser->one('.box-more button');
$console->fits('a long result, 360 px wide');
cmp_ok(length $browser->text('section[aria-label=Run] .box'), '<', 30_000, 'it is cut at first');
$browser->click($browser->named(button => qr/^Show all/));
cmp_ok($browser->script('return document.querySelector("section[aria-label=Run] .box").textContent.length'), '>',
    1_000_000, 'and shown whole when that is asked for');
$console->fits('all of it, 360 px wide');
$browser->click($browser->named(link => qr/run.s page/));
$browser->one('.line li');
$console->fits('its page, 360 px wide');
is_inert('its page');
$console->go('runs');
$browser->one('.runs tbody tr');
$console->fits('the list, 360 px wide');
is_inert('the list');

$console->is_quiet('nothing was wrong with the page');
$console->quit;

done();

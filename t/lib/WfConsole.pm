# SPDX-License-Identifier: Apache-2.0
package WfConsole;

# The console in a browser, at an httpd of the test's own, whose project files the test may write.
#
#   my $console = WfConsole->new('console', {'900' => {…}});
#   $console->go('test/900/a');
#   $console->browser->click($console->browser->named(button => 'Run'));
#   $console->quit;
use strict;
use warnings FATAL => 'all';
use File::Copy qw(copy);
use File::Path qw(make_path);
use JSON::PP ();
use Test::More ();
use WfBrowser ();
use WfConfig qw(server_var);
use WfHttpd ();
use WfTest qw(wait_for);

my $json = JSON::PP->new->utf8->canonical;

# NAME is the folder's; OWN are projects by their id, beside two of conf/projects.
sub new
{
    my ($class, $name, $own, @lines) = @_;
    my $httpd = WfHttpd->new($name);
    my $folder = $httpd->folder;
    make_path("$folder/projects");
    copy("conf/projects/$_.json", "$folder/projects/") or die "$_.json: $!\n" for qw(569 573);
    my $self = bless {httpd => $httpd, base => "http://127.0.0.1:$httpd->{port}/cw/api/v2",
        shots => $ENV{WF_SCREENSHOTS} // server_var('t_logs') . '/screenshots'}, $class;
    $self->write_project($_, $json->encode($own->{$_})) for keys %{$own // {}};
    $httpd->configure(join "\n", qq(DbsyncWfProjects "$folder/projects"), @lines);
    $httpd->start;
    $self->{browser} = WfBrowser->new("$folder/browser");
    $self->{browser}->view_size(1200, 800);
    # With the user's name and password, as one may write it into the address line.
    $self->{browser}->visit($self->{base} =~ s{//}{//alice:wonderland@}r . '/console/');
    return $self;
}

sub browser { return $_[0]{browser} }
sub httpd   { return $_[0]{httpd} }
sub base    { return $_[0]{base} }

# Writes a project file; `text` is its JSON.
sub write_project
{
    my ($self, $id, $text) = @_;
    my $file = $self->{httpd}->folder . "/projects/$id.json";
    open my $out, '>:raw', "$file.new" or die "$file: $!\n";
    print {$out} $text;
    close $out or die "$file: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

# Shows a view, by what is behind "#/", in a page that is loaded anew; and waits until it is there.
sub go
{
    my ($self, $view) = @_;
    $self->{browser}->visit('about:blank');
    $self->{browser}->visit("$self->{base}/console/#/$view");
    $self->settled;
    return;
}

# Waits until the view has been filled.
sub settled
{
    my ($self) = @_;
    wait_for('the view', 30, sub {
        $self->{browser}->script(
            'const main = document.getElementById("main"); return main.querySelector("h1") '
                . '&& !main.textContent.includes("Loading")');
    });
    return;
}

# Waits for the status of the run that is shown.
sub status_becomes
{
    my ($self, $status, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $is = '';
    eval { wait_for($status, 30, sub { ($is = $self->{browser}->text('.run-head .badge')) eq $status }) };
    return Test::More::is($is, $status, $name);
}

# What has the focus is called, as far as a label or its own text says.
sub focused
{
    my ($self) = @_;
    return $self->{browser}->script('const one = document.activeElement; return one.getAttribute("aria-label") '
        . '|| one.labels?.[0]?.textContent || one.innerText || one.tagName');
}

# Presses Tab until the focus is on what is called so; dies where it does not come there.
sub tab_to
{
    my ($self, $label) = @_;
    for (1 .. 80) {
        $self->{browser}->press('Tab');
        my $is = $self->focused;
        return $is if ref $label ? $is =~ $label : $is eq $label;
    }
    die "Tab does not lead to $label\n";
}

# Tests by axe-core, whose file WF_AXE names, that the view can be used by everybody, as far as a program
# can tell: names, roles, contrasts of what is seen. WebDriver's script is not the page's own, so that the
# page's policy holds all the time.
sub is_accessible
{
    my ($self, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return Test::More::is($self->mistakes, '', $name);
}

# What axe-core finds, one a line.
sub mistakes
{
    my ($self) = @_;
    my $browser = $self->{browser};
    if (!$browser->script('return "axe" in window')) {
        $self->{axe} //= do {
            open my $in, '<:raw', $ENV{WF_AXE} or die "$ENV{WF_AXE}: $!\n";
            local $/ = undef;
            <$in>;
        };
        $browser->script($self->{axe});
    }
    my $found = $browser->script(<<'END');
const {violations} = await axe.run(document, {resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa",
    "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]});
return violations.flatMap(one => one.nodes.map(node =>
    `${one.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
END
    return join "\n", @{$found};
}

# Tests that nothing lies beyond the window's right edge, for one to scroll to.
sub fits
{
    my ($self, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $beyond = $self->{browser}->script(<<'END');
const {scrollWidth, clientWidth} = document.documentElement;
return scrollWidth <= clientWidth ? "" : [...document.querySelectorAll("main *, header *")].filter(one =>
    one.getBoundingClientRect().right > clientWidth + 0.5).map(one => `${one.tagName}.${one.className}`).join(" ")
    || `${scrollWidth} > ${clientWidth}`;
END
    return Test::More::is($beyond, '', $name);
}

# Keeps a picture of what is seen.
sub shot
{
    my ($self, $name) = @_;
    make_path($self->{shots});
    $self->{browser}->screenshot("$self->{shots}/$name.png");
    return;
}

# Tests that the page has complained of nothing (what the policy stops is among that), but for messages
# that match one of MAY, and that it has asked nobody but its own server.
sub is_quiet
{
    my ($self, $name, @may) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @said = grep { my $said = $_; $said->{level} =~ /^(?:SEVERE|WARNING)$/
            && !grep { $said->{message} =~ $_ } @may } $self->{browser}->console;
    Test::More::is(join("\n", map { $_->{message} } @said), '', $name);
    my $asked = $self->{browser}->script(
        'return performance.getEntriesByType("resource").map(entry => entry.name)');
    return Test::More::is(join(' ', grep { index($_, "http://127.0.0.1:$self->{httpd}{port}/") != 0 } @{$asked}), '',
        "$name: nobody else was asked");
}

sub quit
{
    my ($self) = @_;
    $self->{browser}->quit;
    $self->{httpd}->stop;
    return;
}

1;

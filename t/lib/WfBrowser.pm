# SPDX-License-Identifier: Apache-2.0
package WfBrowser;

# A real browser, Chromium without a display, driven by WebDriver (a W3C recommendation): JSON over
# HTTP, which chromedriver takes. Its profile is a folder of its own, and it ends with the object.
#
#   my $browser = WfBrowser->new($folder);
#   $browser->visit('http://localhost:1234/');
#   my $text = $browser->script('return (await fetch(args[0])).text()', $url);
use strict;
use warnings FATAL => 'all';
use File::Path qw(make_path);
use IO::Select ();
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use POSIX qw(WNOHANG);
use Time::HiRes qw(time);
use WfHttp ();

my $PATIENCE = 60;
my $json = JSON::PP->new->utf8->allow_nonref;

# It runs where there is no display, no user namespace and a small /dev/shm, and sends nothing to anyone
# but the tests' servers.
my @FLAGS = qw(--headless=new --no-sandbox --disable-dev-shm-usage --disable-gpu --no-first-run
    --no-default-browser-check --disable-background-networking --disable-component-update
    --disable-sync --disable-extensions --password-store=basic --mute-audio);
push @FLAGS, '--disable-features=OptimizationHints,MediaRouter';

# Remembered passwords are sent from every page alike, where Chromium might keep them apart by the site
# of the page, or keep them from other sites: not every browser does, and the tests are about the
# worst.
sub new
{
    my ($class, $folder) = @_;
    make_path("$folder/profile");
    my $self = bless {folder => $folder, owner => $$}, $class;
    $self->_start_driver;
    $self->{session} = $self->_ask('POST', '/session', {
        capabilities => {alwaysMatch => {
            browserName           => 'chrome',
            'goog:loggingPrefs'   => {browser => 'ALL'},
            'goog:chromeOptions'  => {
                args       => [@FLAGS, "--user-data-dir=$folder/profile"],
                prefs      => {'profile.cookie_controls_mode' => 0},
                localState => {'auth.globally_scoped_http_auth_cache_enabled' => JSON::PP::true},
            },
            timeouts              => {script => 1000 * $PATIENCE, pageLoad => 1000 * $PATIENCE},
        }},
    })->{sessionId};
    return $self;
}

# Goes to an address, and comes back when the page is loaded.
sub visit
{
    my ($self, $url) = @_;
    $self->_in_session('POST', 'url', {url => $url});
    return;
}

# What the body of an async function gives, with the arguments as `args`; dies where it throws.
sub script
{
    my ($self, $body, @args) = @_;
    return $self->_in_session('POST', 'execute/sync', {
        script => "const args = arguments; return (async () => { $body })();",
        args   => \@args,
    });
}

# ---- elements: an id of WebDriver's each ----

my $ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

# Those that a CSS selector finds, in the order of the page.
sub all
{
    my ($self, $css) = @_;
    return map { $_->{$ELEMENT} } @{$self->_in_session('POST', 'elements', {using => 'css selector', value => $css})};
}

# What may have a role, for it to be found by what those hear it called who do not see it.
my %OF_ROLE = (
    button => 'button', link => 'a[href]', heading => 'h1, h2, h3', checkbox => 'input[type=checkbox]',
    textbox => 'input, textarea', spinbutton => 'input[type=number]', combobox => 'select',
);

# The first element of a role whose accessible name, as the browser computes it, is NAME or matches it; it
# must come within SECONDS (20).
sub named
{
    my ($self, $role, $name, $seconds) = @_;
    my $deadline = time + ($seconds // 20);
    while (1) {
        for my $id ($self->all($OF_ROLE{$role} // die "what is a $role?\n")) {
            my $label = eval { $self->_in_session('GET', "element/$id/computedlabel") } // next; # it may be gone
            return $id if ref $name ? $label =~ $name : $label eq $name;
        }
        die "there is no $role called $name\n" if time > $deadline;
        select undef, undef, undef, 0.05;
    }
}

# The first that a selector finds, within SECONDS (20).
sub one
{
    my ($self, $css, $seconds) = @_;
    my $deadline = time + ($seconds // 20);
    while (1) {
        my ($id) = $self->all($css);
        return $id if $id;
        die "there is no $css\n" if time > $deadline;
        select undef, undef, undef, 0.05;
    }
}

# The text that is seen of each element, of what a selector finds; and of the first, '' where there is none.
sub texts
{
    my ($self, $css) = @_;
    return @{$self->script('return [...document.querySelectorAll(args[0])].map(one => one.innerText.trim())', $css)};
}

sub text
{
    my ($self, $css) = @_;
    return ($self->texts($css))[0] // '';
}

# Clicks as a mouse does: dies where something else lies over the element.
sub click
{
    my ($self, $id) = @_;
    $self->_in_session('POST', "element/$id/click", {});
    return;
}

# Types into an element, in the place of what is in it.
sub fill
{
    my ($self, $id, $text) = @_;
    $self->_in_session('POST', "element/$id/clear", {});
    $self->_in_session('POST', "element/$id/value", {text => $text});
    return;
}

# Keys that WebDriver has no character for.
my %KEY = (Tab => "\x{E004}", Enter => "\x{E007}", Shift => "\x{E008}", Control => "\x{E009}",
    Escape => "\x{E00C}", Space => ' ');

# Presses keys one after the other, wherever the focus is: names of %KEY, or characters; "Shift+Tab" at once.
sub press
{
    my ($self, @keys) = @_;
    my @actions;
    for my $keys (@keys) {
        my @at_once = map { $KEY{$_} // $_ } split /\+/, $keys;
        push @actions, (map { {type => 'keyDown', value => $_} } @at_once),
            map { {type => 'keyUp', value => $_} } reverse @at_once;
    }
    $self->_in_session('POST', 'actions', {actions => [{type => 'key', id => 'keyboard', actions => \@actions}]});
    return;
}

# ---- the window ----

# How large the page's view is, in CSS pixels. Smaller than any window of the desktop can be.
sub view_size
{
    my ($self, $width, $height) = @_;
    $self->devtools('Emulation.setDeviceMetricsOverride',
        {width => $width, height => $height, deviceScaleFactor => 1, mobile => JSON::PP::false});
    return;
}

# light or dark, as the system would say.
sub colours
{
    my ($self, $scheme) = @_;
    $self->devtools('Emulation.setEmulatedMedia',
        {features => [{name => 'prefers-color-scheme', value => $scheme}]});
    return;
}

# One command of Chromium's own protocol; what it answers.
sub devtools
{
    my ($self, $command, $parameters) = @_;
    return $self->_in_session('POST', 'goog/cdp/execute', {cmd => $command, params => $parameters // {}});
}

# Writes what is seen of the page into a file, as PNG.
sub screenshot
{
    my ($self, $file) = @_;
    open my $out, '>:raw', $file or die "$file: $!\n";
    print {$out} decode_base64($self->_in_session('GET', 'screenshot'));
    close $out or die "$file: $!\n";
    return;
}

# The page as it stands, as HTML.
sub source
{
    my ($self) = @_;
    return $self->_in_session('GET', 'source');
}

# The browser's messages since the last time: {level, message, …}.
sub console
{
    my ($self) = @_;
    return @{$self->_in_session('POST', 'se/log', {type => 'browser'})};
}

# Ends it; dies where something of it does not end.
sub quit
{
    my ($self) = @_;
    my $driver = delete $self->{driver} or return;
    local ($?, $!);
    eval { $self->_in_session('DELETE', '') if $self->{session}; 1 } or warn $@;
    kill 'TERM', $driver;
    my $deadline = time + $PATIENCE;
    my $signal = 'TERM';
    until (waitpid($driver, WNOHANG) != 0 && !$self->_pids) {
        $signal = 'KILL' if time > $deadline - $PATIENCE / 2;
        kill $signal, $self->_pids;
        die "the browser does not end\n" if time > $deadline;
        select undef, undef, undef, 0.05;
    }
    close delete $self->{out};
    return;
}

sub DESTROY
{
    my ($self) = @_;
    return if $$ != $self->{owner};
    local ($@, $?, $!);
    eval { $self->quit; 1 } or warn $@;
    return;
}

# The browser's processes: no other has its profile in the command line.
sub _pids
{
    my ($self) = @_;
    my @pids;
    for my $file (glob '/proc/[0-9]*/cmdline') {
        open my $in, '<', $file or next;
        my $line = do { local $/ = undef; <$in> } // '';
        push @pids, $file =~ /(\d+)/ if index($line, "--user-data-dir=$self->{folder}/profile") >= 0;
    }
    return @pids;
}

# On a port that it chooses, and tells.
sub _start_driver
{
    my ($self) = @_;
    my $pid = open my $out, '-|';
    defined $pid or die "fork: $!\n";
    if (!$pid) {
        $ENV{HOME} = $self->{folder};
        delete @ENV{qw(XDG_CONFIG_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR DISPLAY)};
        open STDERR, '>', "$self->{folder}/driver.log" or POSIX::_exit(127);
        exec {'chromedriver'} 'chromedriver', '--port=0' or POSIX::_exit(127);
    }
    @{$self}{qw(driver out)} = ($pid, $out);
    my ($said, $deadline) = ('', time + $PATIENCE);
    until ($said =~ /successfully on port \d+\./) {
        my $left = $deadline - time;
        $left > 0 && IO::Select->new($out)->can_read($left) && sysread($out, $said, 4096, length $said)
            or die "chromedriver does not start: $said\n";
    }
    ($self->{port}) = $said =~ /successfully on port (\d+)/;
    return;
}

sub _in_session
{
    my ($self, $method, $path, $body) = @_;
    return $self->_ask($method, "/session/$self->{session}" . ($path ne '' ? "/$path" : ''), $body);
}

sub _ask
{
    my ($self, $method, $path, $body) = @_;
    my $answer = WfHttp->new(port => $self->{port}, timeout => $PATIENCE + 10)->request($method, $path,
        $body ? (body => $json->encode($body), type => 'application/json; charset=utf-8') : ());
    my $value = $json->decode($answer->body)->{value};
    return $value if $answer->status == 200;
    die "WebDriver $method $path: ", $answer->status, " $value->{error}: $value->{message}\n";
}

1;

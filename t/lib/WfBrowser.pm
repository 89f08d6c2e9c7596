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

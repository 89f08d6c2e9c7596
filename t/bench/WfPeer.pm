# SPDX-License-Identifier: Apache-2.0
package WfPeer;

# A system that does our job, as scripts/bench peers measures it: a POST of JSON with Basic credentials,
# a program that runs for it, an end that the client can see. A package of this folder for each, which
# says how it is started, asked and understood; what they share is here.
#
#   my $peer = WfPeerWebhook->new;
#   $peer->start;                  # in a folder of its own, made anew, on a port or socket of its own
#   $peer->post_path, $peer->status_path($id) …
#   $peer->kill_all;               # as kill -9 does
#   $peer->tend while …;           # starts again what has died, as a service manager does
#   $peer->stop;
#
# A package says:
#   name, durable, settings   texts of the table; versions: hash of what is installed
#   is_durable                whether a POST is on disk when it is answered
#   begin                     starts what it consists of, by process(…)
#   post_path                 of a POST; with twelve N where the client is to number its requests
#   after                     the text in an answer behind which the run's id stands; '-': the number
#   status_path(ID, SECONDS)  where its state is asked for, to be answered at its end at the latest
#                             after so many seconds where the system can wait; undef: it has none
#   end_of(ANSWER)            how the run has ended, by the answer to that; '' where it has not
#   ended                     how many runs have ended, by what the system records of them
#   hold                      has what is posted from now on kept and not executed, and gives the path to
#                             post it to; undef where there is nothing between a POST and its program
#   patience                  seconds in which what was acknowledged can still run after a crash
use strict;
use warnings FATAL => 'all';
use File::Path qw(remove_tree);
use POSIX ();
use Time::HiRes qw(time);
use WfBench qw(state);
use WfConfig qw(free_port);
use WfHttp ();
use WfServer qw(children_of name_of);

my $START   = 60;     # seconds for a system to serve
my $STOP    = 20;     # seconds for a process to end
my $RESTART = 0.1;    # seconds from an end to the next start: systemd's RestartSec, where nothing is said

our $AT_ONCE = 16;    # programs at once, where a system has a limit

sub new
{
    my ($class) = @_;
    my $folder = state('peer-' . lc $class =~ s/^WfPeer//r);
    return bless {folder => $folder, processes => {}, owner => $$}, $class;
}

sub folder   { return $_[0]{folder} }
sub port     { return $_[0]{port} }
sub stamps   { return "$_[0]{folder}/stamps" }
sub patience { return 30 }
sub hold     { return }
sub after    { return '"id":"' }

# A client of it, as alice, that keeps its connection.
sub client
{
    my ($self) = @_;
    return WfHttp->new(port => $self->port, user => 'alice', password => 'wonderland', keep => 1);
}

# Starts it from nothing, and waits until it answers.
sub start
{
    my ($self) = @_;
    remove_tree($self->{folder});
    mkdir $self->{folder} or die "$self->{folder}: $!\n";
    $self->{port} = free_port();
    $self->begin;
    my $deadline = time + $START;
    until (eval { $self->client->request('GET', '/')->status < 500 }) {
        die $self->name, " does not serve:\n", $self->said if time > $deadline;
        $self->tend;
        pause(0.02);
    }
    return;
}

# process(NAME, COMMAND…): one of those that it consists of, with the environment of now; what it says
# goes to FOLDER/NAME.log.
sub process
{
    my ($self, $name, @command) = @_;
    $self->{processes}{$name} = {command => [@command], env => {%ENV}};
    $self->_spawn($name);
    return;
}

sub _spawn
{
    my ($self, $name) = @_;
    my $process = $self->{processes}{$name};
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null' or POSIX::_exit(1);
        open STDOUT, '>>', "$self->{folder}/$name.log" or POSIX::_exit(1);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
        %ENV = %{$process->{env}};
        { no warnings 'exec'; exec @{$process->{command}}; }
        POSIX::_exit(127);
    }
    @{$process}{qw(pid died)} = ($pid, undef);
    return;
}

# Stops a process for a while, until `stop`.
sub suspend { my ($self, $name) = @_; kill 'STOP', $self->{processes}{$name}{pid}; return }

# Starts again, a moment after, what has ended.
sub tend
{
    my ($self) = @_;
    for my $name (sort keys %{$self->{processes}}) {
        my $process = $self->{processes}{$name};
        if ($process->{pid} && waitpid($process->{pid}, POSIX::WNOHANG()) != 0) {
            @{$process}{qw(pid died)} = (0, time);
        }
        $self->_spawn($name) if !$process->{pid} && time - $process->{died} >= $RESTART;
    }
    return;
}

# Its processes, but not the programs that it runs.
sub pids
{
    my ($self) = @_;
    my @pids = my @roots = $self->roots;
    while (@roots) {
        @roots = grep { name_of($_) !~ /^(?:stamp|program)$/ } map { children_of($_) } @roots;
        push @pids, @roots;
    }
    return @pids;
}

# Those of its processes that have been started here.
sub roots { my ($self) = @_; return grep {$_} map { $_->{pid} } values %{$self->{processes}} }

# Those that a crash takes: all.
sub victims { my ($self) = @_; return $self->pids }

sub kill_all { my ($self) = @_; kill 'KILL', $self->victims; return }

# Megabytes of memory that its processes have, what they share counted once.
sub memory
{
    my ($self) = @_;
    my $sum = 0;
    for my $pid ($self->pids) {
        open my $in, '<', "/proc/$pid/smaps_rollup" or next;
        $sum += /^Pss:\s+(\d+)/ ? $1 : 0 while <$in>;
    }
    return $sum / 1024;
}

# Lines of the stamps by id: nanoseconds of each start.
sub stamped
{
    my ($self) = @_;
    open my $in, '<', $self->stamps or return {};
    my %stamps;
    while (my $line = <$in>) {
        my ($at, $id) = split ' ', $line;
        push @{$stamps{$id}}, $at;
    }
    return \%stamps;
}

# Ends its processes, and waits for them; those that do not obey are killed.
sub stop
{
    my ($self) = @_;
    my @pids = $self->pids;
    kill 'TERM', $self->roots;
    kill 'CONT', $self->roots;
    my $deadline = time + $STOP;
    for my $process (values %{$self->{processes}}) {
        while ($process->{pid} && waitpid($process->{pid}, POSIX::WNOHANG()) == 0) {
            kill 'KILL', @pids if time > $deadline;
            pause(0.02);
        }
        $process->{pid} = 0;
    }
    kill 'KILL', @pids;
    $self->{processes} = {};
    return;
}

sub DESTROY
{
    my ($self) = @_;
    return if $$ != $self->{owner};
    local ($@, $?, $!);
    eval { $self->stop; 1 } or warn $@;
    return;
}

# What its processes have said.
sub said
{
    my ($self) = @_;
    my $said = '';
    for my $file (glob "$self->{folder}/*.log") {
        open my $in, '<', $file or next;
        $said .= join '', "$file:\n", <$in>;
    }
    return $said;
}

sub pause { my ($seconds) = @_; select undef, undef, undef, $seconds; return }

# ---- for those who say what a peer is ----

sub write_file
{
    my ($self, $name, $text) = @_;
    open my $out, '>', "$self->{folder}/$name" or die "$name: $!\n";
    print {$out} $text;
    close $out or die "$name: $!\n";
    return "$self->{folder}/$name";
}

# What a command says of its version; FIND takes it from that.
sub version_by
{
    my ($find, @command) = @_;
    open my $in, '-|', @command or die "@command: $!\n";
    my $said = do { local $/ = undef; <$in> } // '';
    close $in or die "@command: $said\n";
    return $said =~ $find ? $1 : die "@command says no version: $said\n";
}

1;

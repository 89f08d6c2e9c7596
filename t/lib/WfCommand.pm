# SPDX-License-Identifier: Apache-2.0
package WfCommand;

# Runs scripts/dbsync-wf (or WF_COMMAND, one that is installed) as a person or a script does: with
# arguments that no shell sees, a HOME of its own with a .netrc for the test server, and on a terminal
# where the test asks for one.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use File::Temp ();
use IO::Select ();
use POSIX ();
use Time::HiRes qw(time);
use WfConfig qw(server_var);

our @EXPORT_OK = qw(command command_env command_home write_file);

my $SECONDS = 60;    # that a command may take
my $home = File::Temp->newdir;
write_file("$home/.netrc", "machine 127.0.0.1 login alice password wonderland\n");

sub command_home { return "$home" }

sub write_file
{
    my ($file, $text) = @_;
    open my $out, '>:raw', $file or die "$file: $!\n";
    print {$out} $text;
    close $out or die "$file: $!\n";
    chmod 0600, $file or die "$file: $!\n";
    return $file;
}

# The environment of a command, and of anybody who wants to be sure that it has nothing else.
sub command_env
{
    return (
        PATH => $ENV{PATH}, HOME => "$home", LC_ALL => 'C.UTF-8', TERM => 'xterm', TMPDIR => "$home",
        DBSYNC_WF_URL => 'http://127.0.0.1:' . server_var('port') . '/cw/api/v2',
    );
}

# command([ARGUMENT, …], OPTION => …): runs it to its end. Gives an object with code, out and err; on a
# terminal out has both streams. Options:
#   in    => bytes on standard input; undef closes it
#   to    => a file for standard output
#   env   => {NAME => value}; undef takes one away
#   tty   => 1: all three streams are a terminal
#   reply => [qr//, text]: what is typed once the terminal shows that
#   while => code that is called with the object once it is running; its process id is `pid`
sub command
{
    my ($arguments, %option) = @_;
    my @command = ($ENV{WF_COMMAND} // 'scripts/dbsync-wf', @{$arguments});
    my $code = File::Temp->new(DIR => "$home");
    # script(1) makes the terminal; the shell that it starts says how the command ended, for which it
    # outlives Ctrl-C.
    my $line = join ' ', map { "'" . s/'/'\\''/gr . "'" } @command;
    @command = ('script', '-qfec', "trap : INT; $line; echo \$? >$code", '/dev/null') if $option{tty};
    my $self = bless {out => '', err => ''}, __PACKAGE__;
    $self->_start(\@command, %option);
    $option{while}->($self) if $option{while};
    $self->_read($option{reply});
    waitpid $self->{pid}, 0;
    $self->{code} = $? & 127 ? "signal $?" : $? >> 8;
    if ($option{tty}) {
        $self->{code} = <$code> // 'none';
        chomp $self->{code};
        $self->{out} =~ s/\r\n/\n/g;
    }
    return $self;
}

sub _start
{
    my ($self, $command, %option) = @_;
    my %env = (command_env(), %{$option{env} // {}});
    delete $env{$_} for grep { !defined $env{$_} } keys %env;
    my $in = File::Temp->new(DIR => "$home");
    print {$in} $option{in} // '';
    $in->flush;
    seek $in, 0, 0;
    pipe my $typed, my $type or die "pipe: $!\n";
    pipe $self->{out_pipe}, my $out or die "pipe: $!\n";
    pipe $self->{err_pipe}, my $err or die "pipe: $!\n";
    $self->{pid} = fork // die "fork: $!\n";
    if ($self->{pid} == 0) {
        close $type;
        %ENV = %env;
        open STDIN, '<&', $option{tty} ? $typed : $in or POSIX::_exit(126);
        open STDOUT, '>&', $out or POSIX::_exit(126);
        open STDERR, '>&', $err or POSIX::_exit(126);
        open STDOUT, '>', $option{to} or POSIX::_exit(126) if defined $option{to};
        POSIX::close(0) if exists $option{in} && !defined $option{in};
        # A session of its own: it has no terminal but one that script(1) makes.
        POSIX::setsid();
        exec {$command->[0]} @{$command} or POSIX::_exit(127);
    }
    close $_ for $typed, $out, $err;
    $self->{type} = $type;
    return;
}

sub _read
{
    my ($self, $reply) = @_;
    my $deadline = time + $SECONDS;
    my %name = ($self->{out_pipe} => 'out', $self->{err_pipe} => 'err');
    my $select = IO::Select->new(@{$self}{qw(out_pipe err_pipe)});
    while ($select->count) {
        my @ready = $select->can_read($deadline - time);
        if (!@ready) {
            kill 'KILL', -$self->{pid};
            die "the command does not end; so far it said: $self->{out} $self->{err}\n";
        }
        for my $pipe (@ready) {
            my $name = $name{$pipe};
            $select->remove($pipe) if !sysread $pipe, $self->{$name}, 65_536, length $self->{$name};
        }
        if ($reply && $self->{out} =~ $reply->[0]) {
            syswrite $self->{type}, $reply->[1];
            undef $reply;
        }
    }
    return;
}

sub code { return $_[0]{code} }
sub out  { return $_[0]{out} }
sub err  { return $_[0]{err} }
sub pid  { return $_[0]{pid} }

1;

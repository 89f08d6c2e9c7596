# SPDX-License-Identifier: Apache-2.0
package WfCli::Settings;

# Where the API is and who asks: options, DBSYNC_WF_URL, and the file ~/.config/dbsync-wf, of lines
# `name = value`; the first of these that says it counts. A password is in ~/.netrc, or is asked for
# on the terminal; it never is an argument, since those can be seen by everybody on the machine.
use strict;
use warnings FATAL => 'all';
use POSIX ();
use WfCli::Exit qw(usage_error);
use WfCli::Text qw(shown);

my %KNOWN = map { $_ => 1 } qw(url user netrc-file);
my $DEFAULT_RETRY = 30;

# new(OPTIONS): url, user, netrc-file, netrc, retry as the command line has them.
sub new
{
    my ($class, $option) = @_;
    my %file = _read_file();
    my %is = (%file, map { defined $option->{$_} ? ($_ => $option->{$_}) : () } keys %KNOWN);
    $is{url} = $option->{url} // $ENV{DBSYNC_WF_URL} // $file{url};
    # Whoever asks for netrc does not want the file's user.
    my $by_netrc = $option->{netrc} || defined $option->{'netrc-file'};
    delete $is{user} if $by_netrc && !defined $option->{user};
    my $self = bless {
        base       => _checked_url($is{url}),
        user       => $is{user},
        netrc_file => _checked_netrc($is{'netrc-file'}),
        retry      => $option->{retry} // $DEFAULT_RETRY,
    }, $class;
    $self->_ask_password if defined $self->{user};
    return $self;
}

# The file's own path, for those who tell of it.
sub file_name
{
    return "$ENV{XDG_CONFIG_HOME}/dbsync-wf" if length($ENV{XDG_CONFIG_HOME} // '');
    return length($ENV{HOME} // '') ? "$ENV{HOME}/.config/dbsync-wf" : undef;
}

sub _read_file
{
    my $name = file_name();
    return if !defined $name || !-e $name;
    open my $in, '<', $name or usage_error("$name: $!");
    my %is;
    while (my $line = <$in>) {
        next if $line =~ /^\s*(?:#|$)/;
        my ($key, $value) = $line =~ /^\s*([\w-]+)\s*=\s*(.*?)\s*$/
            or usage_error("$name, line $.: a line is `name = value`");
        $KNOWN{$key} or usage_error("$name, line $.: there is no setting \"$key\"; there are "
            . join ', ', sort keys %KNOWN);
        $is{$key} = $value;
    }
    $is{'netrc-file'} =~ s{^~/}{($ENV{HOME} // '') . '/'}e if defined $is{'netrc-file'};
    return %is;
}

sub _checked_url
{
    my ($url) = @_;
    usage_error("where is the API? Say it with --url, in DBSYNC_WF_URL, or as\n"
        . "  url = https://HOST/cw/api/v2\nin " . shown(file_name() // '~/.config/dbsync-wf'))
        if !length($url // '');
    $url =~ m{^https?://}i or usage_error('the URL must begin with http:// or https://');
    usage_error('the URL must have neither user nor password in it, which everybody on the machine '
        . 'could see: use ~/.netrc or --user') if $url =~ m{^https?://[^/]*\@}i;
    $url =~ m{^https?://[!-~]+$}i && $url !~ /[?#"\\]/
        or usage_error('the URL must be that of the base, such as https://HOST/cw/api/v2');
    return $url =~ s{/+$}{}r;
}

sub _checked_netrc
{
    my ($name) = @_;
    return undef if !defined $name;    # one value, in a list too
    -r $name && !-d _ or usage_error(shown($name) . ': ' . ($! || 'is no file'));
    return $name;
}

sub _ask_password
{
    my ($self) = @_;
    $self->{user} =~ /^[^:\x00-\x1f\x7f]+$/
        or usage_error('a user name has no colon and no control character');
    open my $tty, '+<', '/dev/tty'
        or usage_error('there is no terminal to ask for the password on: put it into ~/.netrc');
    my $fd = fileno $tty;
    my $mode = POSIX::Termios->new;
    $mode->getattr($fd) or usage_error("the terminal: $!");
    my $with_echo = $mode->getlflag;
    # What is typed before the question would be seen, and is no answer.
    $mode->setlflag($with_echo & ~POSIX::ECHO());
    $mode->setattr($fd, POSIX::TCSAFLUSH());
    syswrite $tty, "Password of $self->{user}: ";
    my $line = eval {
        readline $tty;
    };
    my $failure = $@;
    $mode->setlflag($with_echo);
    $mode->setattr($fd, POSIX::TCSADRAIN());
    syswrite $tty, "\n";
    die $failure if $failure;
    defined $line or usage_error('no password was given');
    chomp $line;
    $line !~ /\0/ or usage_error('a password has no NUL in it');
    $self->{password} = $line;
    return;
}

1;

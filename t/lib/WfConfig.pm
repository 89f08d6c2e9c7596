# SPDX-License-Identifier: Apache-2.0
package WfConfig;

# The running test server's configuration, as Apache::Test has left it in the folder of the tests. Read
# from its file, because Apache::Test itself would ask httpd about its build again for each test.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use IO::Socket::INET ();

our @EXPORT_OK = qw(free_port server_var server_vars write_conf write_extra);

my $vars;

# One of Apache::Test's variables: port, t_dir, t_logs, t_state, t_pid_file, httpd …; and other_port,
# which t/TEST.PL adds.
sub server_var
{
    my ($name) = @_;
    my %all = server_vars();
    defined $all{$name} or die "Apache::Test has no variable $name\n";
    return $all{$name};
}

# All of them.
sub server_vars
{
    $vars //= do {
        require './t/conf/apache_test_config.pm';
        'apache_test_config'->new->{vars};
    };
    return %{$vars};
}

# write_extra(NAME, LINES): puts lines into the test server's configuration, for its next restart; no
# lines take them out again.
sub write_extra
{
    my ($name, $lines) = @_;
    my $folder = server_var('t_state') . '/extra.d';
    my $file = "$folder/$name.conf";
    -d $folder or mkdir $folder or die "$folder: $!\n";
    if (!defined $lines) {
        unlink $file or die "$file: $!\n";
        return;
    }
    open my $out, '>', $file or die "$file: $!\n";
    print {$out} $lines;
    close $out or die "$file: $!\n";
    return;
}

# A port on 127.0.0.1 that nobody uses at the moment.
sub free_port
{
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "$@\n";
    return $socket->sockport;
}

# write_conf(FILE, PORT, LINES): a configuration for another httpd, with the test server's modules and
# then these lines. Gives the command that starts httpd with it; an action is to follow.
sub write_conf
{
    my ($file, $port, $lines) = @_;
    my %vars = server_vars();
    open my $in, '<', $vars{t_conf_file} or die "$vars{t_conf_file}: $!\n";
    my @modules = grep { /^\s*(?:LoadModule|<\/?If)/ } <$in>;
    open my $out, '>', $file or die "$file: $!\n";
    print {$out} "ServerName localhost\nServerRoot \"$vars{serverroot}\"\n",
        "DefaultRuntimeDir \"$vars{t_state}\"\nListen 127.0.0.1:$port\n", @modules, $lines;
    close $out or die "$file: $!\n";
    return join ' ', $vars{httpd}, '-d', $vars{serverroot}, '-f', $file,
        map {"-D $_"} split ' ', $vars{defines};
}

1;

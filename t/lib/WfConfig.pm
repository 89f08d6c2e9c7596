# SPDX-License-Identifier: Apache-2.0
package WfConfig;

# The running test server's configuration, as Apache::Test has left it in the folder of the tests. Read
# from its file, because Apache::Test itself would ask httpd about its build again for each test.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';

our @EXPORT_OK = qw(server_var server_vars);

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

1;

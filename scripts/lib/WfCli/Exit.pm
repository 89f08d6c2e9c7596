# SPDX-License-Identifier: Apache-2.0
package WfCli::Exit;

# How the command line ends: its exit codes, which scripts rely on, and the one exception that leads
# to them from anywhere.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';

use constant {
    COMPLETED   => 0,
    ERROR       => 1,
    USAGE       => 2,
    INTERRUPTED => 3,
    TIMED_OUT   => 4,
    REFUSED     => 5,
    UNREACHABLE => 6,
};

our @EXPORT_OK = qw(
    COMPLETED ERROR INTERRUPTED REFUSED TIMED_OUT UNREACHABLE USAGE give_up usage_error
);

# give_up(CODE, TEXT): ends the program with that code; the text, where there is one, goes to stderr.
sub give_up
{
    my ($code, $text) = @_;
    die bless {code => $code, text => $text}, __PACKAGE__;
}

sub usage_error
{
    my ($text) = @_;
    return give_up(USAGE, $text);
}

1;

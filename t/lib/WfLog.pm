# SPDX-License-Identifier: Apache-2.0
package WfLog;

# What was written into httpd's error log since an object of this was made.
use strict;
use warnings FATAL => 'all';

sub new
{
    my ($class, $file) = @_;
    return bless {file => $file, from => -s $file // 0}, $class;
}

# The new lines, complete ones.
sub lines
{
    my ($self) = @_;
    open my $in, '<', $self->{file} or die "$self->{file}: $!\n";
    seek $in, $self->{from}, 0 or die "$self->{file}: $!\n";
    return grep {/\n\z/} <$in>;
}

# Those that a clean log has not: of level warn or above, or not in httpd's form at all (what a
# library or a dying process writes to stderr), less those that match one of the patterns.
sub dirty
{
    my ($self, @declared) = @_;
    my @dirty = grep {
        !/^\[[^\]]+\] \[[\w-]*:(?:notice|info|debug|trace\d)\] /
    } $self->lines;
    for my $pattern (@declared) {
        @dirty = grep { $_ !~ $pattern } @dirty;
    }
    return @dirty;
}

1;

# SPDX-License-Identifier: Apache-2.0
package WfAudit;

# What was written into an audit log since an object of this was made.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Time::HiRes qw(time);

my $PATIENCE = 10;

# The log is one file, or those that match a glob pattern, in the order of their names.
sub new
{
    my ($class, $pattern) = @_;
    my $self = bless {pattern => $pattern, from => 0}, $class;
    $self->{from} = $self->_text =~ tr/\n//;
    return $self;
}

# Waits until there are so many new lines, and gives all new ones as they are. Dies where they do not
# come, or one is longer than a pipe takes at once.
sub lines
{
    my ($self, $count) = @_;
    my $deadline = time + $PATIENCE;
    while (1) {
        my $text = $self->_text;
        my @lines = $text =~ /([^\n]*)\n/g;
        splice @lines, 0, $self->{from};
        if (@lines >= $count && $text =~ /\n\z/) {
            die "a line has more than 4096 bytes\n" if grep { length > 4095 } @lines;
            return @lines;
        }
        die 'waited in vain for ', $count, ' lines of audit: there are ', scalar @lines, "\n"
            if time > $deadline;
        select undef, undef, undef, 0.02;
    }
}

# The same as data; dies of a line that is no JSON object. The next call begins after them.
sub take
{
    my ($self, $count) = @_;
    my @lines = $self->lines($count);
    $self->{from} += @lines;
    return map { JSON::PP->new->utf8->decode($_) } @lines;
}

sub _text
{
    my ($self) = @_;
    my $text = '';
    for my $file (sort glob $self->{pattern}) {
        open my $in, '<', $file or die "$file: $!\n";
        local $/ = undef;
        $text .= <$in> // '';
    }
    return $text;
}

1;

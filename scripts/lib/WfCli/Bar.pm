# SPDX-License-Identifier: Apache-2.0
package WfCli::Bar;

# A line on the terminal that tells how far a run is. There is none where stdout or stderr is not a
# terminal, or where it cannot rub a line out.
use strict;
use warnings FATAL => 'all';
use IO::Handle ();
use WfCli::Run qw(counts);
use WfCli::Text qw(printable utf8_of);

my $CELLS = 24;
my $TIOCGWINSZ = 0x5413;    # Linux; elsewhere the terminal counts as 80 columns wide

sub new
{
    my ($class) = @_;
    my $is_shown = -t STDERR && -t STDOUT && ($ENV{TERM} // 'dumb') ne 'dumb';
    STDERR->autoflush(1) if $is_shown;
    return bless {is_shown => $is_shown}, $class;
}

sub is_shown { return $_[0]{is_shown} }

sub show
{
    my ($self, $run) = @_;
    return if !$self->{is_shown};
    my $progress = $run->{progress} // {};
    my ($done, $total) = map { $progress->{$_} // 0 } qw(done total);
    my $filled = $total > 0 ? int($CELLS * ($done < $total ? $done : $total) / $total) : 0;
    my $line = join '  ', grep {length} '[' . '#' x $filled . '.' x ($CELLS - $filled) . ']',
        $total > 0 ? "$done/$total" : '', $run->{status} // '', $progress->{action} // '',
        counts($run);
    # Its last column stays free: some terminals begin a new line there.
    print {*STDERR} "\r\e[K", utf8_of(substr printable($line), 0, _columns() - 1);
    $WfCli::Text::is_drawn = 1;
    return;
}

sub clear
{
    my ($self) = @_;
    print {*STDERR} "\r\e[K" if $WfCli::Text::is_drawn;
    $WfCli::Text::is_drawn = 0;
    return;
}

sub _columns
{
    my $size = "\0" x 8;
    return 80 if !ioctl STDERR, $TIOCGWINSZ, $size;
    my (undef, $columns) = unpack 'S2', $size;
    return $columns || 80;
}

1;

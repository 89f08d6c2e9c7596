# SPDX-License-Identifier: Apache-2.0
package WfFigures;

# A file of expected figures, each with how much more or less is taken for the same; and the build that
# they are of, since another compiler, library or processor makes other figures.
#
#   for: gcc 12 -g -O2, …
#   status-ended handler   52000   3
use strict;
use warnings FATAL => 'all';
use File::Basename qw(dirname);
use WfConfig qw(server_var);

my $TOLERANCE = 3; # per cent, where the file has no line yet

# The figures of a file.
sub new
{
    my ($class, $file) = @_;
    my $self = bless {file => $file, for => '', figures => {}, head => ''}, $class;
    open my $in, '<', $file or die "$file: $!\n";
    while (my $line = <$in>) {
        if ($line =~ /^#/) {
            $self->{head} .= $line;
        } elsif ($line =~ /^for: (.*)$/) {
            $self->{for} = $1;
        } elsif ($line =~ /^(\S.*?)\s+(\d+)\s+(\d+)$/) {
            $self->{figures}{$1} = [$2, $3];
        } elsif ($line =~ /\S/) {
            die "$file, line $.: neither a comment nor a figure\n";
        }
    }
    return $self;
}

# Why the figures say nothing of the build under test; undef where they do.
sub other_build
{
    my ($self) = @_;
    my $build = _build();
    return $build eq $self->{for} ? undef : "the figures are for $self->{for}, and this is $build";
}

# The least and the most that count as the same.
sub bounds
{
    my ($self, $name) = @_;
    my ($figure, $tolerance) = @{$self->{figures}{$name} // die "$self->{file} has no line for $name\n"};
    return map { sprintf '%.0f', $figure * (1 + $_ * $tolerance / 100) } -1, 1;
}

# renew([NAME, FIGURE], …): writes them, in this order, as those of the build under test. Comments and
# tolerances stay.
sub renew
{
    my ($self, @figures) = @_;
    my %old = %{$self->{figures}};
    $self->{for} = _build();
    $self->{figures} = {map { $_->[0] => [$_->[1], ($old{$_->[0]} // [0, $TOLERANCE])->[1]] } @figures};
    open my $out, '>', $self->{file} or die "$self->{file}: $!\n";
    print {$out} $self->{head}, "for: $self->{for}\n",
        map { sprintf "%-24s %8d %3d\n", $_->[0], @{$self->{figures}{$_->[0]}} } @figures;
    close $out or die "$self->{file}: $!\n";
    return;
}

# What the module under test was made by, and what it runs on.
sub _build
{
    my %make = _makefile(dirname($ENV{WF_MODULE}) . '/../Makefile');
    my ($compiler) = qx($make{CC} --version) =~ /^(\S+)/ or die "$make{CC} tells no version\n";
    my ($major) = qx($make{CC} -dumpversion) =~ /^(\d+)/ or die "$make{CC} tells no version\n";
    my ($httpd) = qx(@{[server_var('httpd')]} -v) =~ m{Apache/(\S+)} or die "httpd tells no version\n";
    my ($libc) = qx(getconf GNU_LIBC_VERSION) =~ /^(.*)$/;
    my ($valgrind) = qx(valgrind --version) =~ /^valgrind-(\S+)/ or die "valgrind tells no version\n";
    my ($machine) = qx(uname -m) =~ /^(\S+)/;
    my ($system) = _text('/etc/os-release') =~ /^PRETTY_NAME="?(.*?)"?$/m;
    # The C library has routines for processors with it and without.
    my $avx2 = _text('/proc/cpuinfo') =~ /^flags\s*:.*\bavx2\b/m ? ' with avx2' : '';
    return join ', ', "$compiler $major $make{CFLAGS}", "$machine$avx2", $system // 'an unknown system',
        "httpd $httpd", $libc // 'an unknown C library', "valgrind $valgrind";
}

sub _makefile
{
    my ($file) = @_;
    return _text($file) =~ /^(CC|CFLAGS) = (.*)$/mg;
}

sub _text
{
    my ($file) = @_;
    open my $in, '<', $file or return '';
    local $/ = undef;
    return <$in> // '';
}

1;

# SPDX-License-Identifier: Apache-2.0
package WfSource;

# The tree as the lint tests read it: they are run in its top folder.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use File::Find ();

our @EXPORT_OK = qw(files read_file sources without_comments);

# The files under some folders, or named themselves, sorted; build output and hidden ones left out.
sub files
{
    my (@from) = @_;
    my @files;
    File::Find::find({
        no_chdir => 1,
        wanted   => sub {
            $File::Find::prune = 1 if -d && m{(?:^|/)(?:\.\w|t/logs|t/state|t/htdocs|autom4te)};
            push @files, $_ if -f && !-l && !m{(?:^|/)\.};
        },
    }, @from);
    return sort @files;
}

# The C sources and headers.
sub sources
{
    my @sources = grep {/\.[ch]$/} files('mod_dbsync_wf');
    die "no sources here: run the lint tests in the top folder\n" if @sources < 10;
    return @sources;
}

sub read_file
{
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    local $/ = undef;
    return scalar <$in>;
}

# C text without its comments; line ends stay.
sub without_comments
{
    my ($text) = @_;
    $text =~ s{("(?:\\.|[^"\\\n])*")|(/\*.*?\*/)|(//[^\n]*)}{
        my ($string, $comment) = ($1, $2);
        defined $string ? $string : ($comment // '') =~ s/[^\n]//gr;
    }gsex;
    return $text;
}

1;

# SPDX-License-Identifier: Apache-2.0
package WfCli::Text;

# Text for people. Whatever came from a server is shown through printable(): names and outputs may
# hold anything, and a terminal obeys what it is sent.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use Encode ();

our @EXPORT_OK = qw(
    complain printable printable_lines printable_stream put put_bytes shown table_row utf8_of
);

# Characters that a terminal acts on, or that make a line look like another one: controls (C0, DEL,
# C1), formats (which change the direction of text), line and paragraph separators, no characters.
my $UNSAFE = qr/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Cn}\p{Co}]/;

# One line of text, characters in and out.
sub printable
{
    my ($text) = @_;
    return _escape($text // '', qr/$UNSAFE/);
}

# Several: line ends and tabs stay.
sub printable_lines
{
    my ($text) = @_;
    return _escape($text // '', qr/(?![\n\t])$UNSAFE/);
}

sub _escape
{
    my ($text, $unsafe) = @_;
    no warnings 'utf8';    # surrogates and the like are what is asked for
    $text =~ s/($unsafe)/sprintf ord $1 > 0xffff ? '\\U%08x' : '\\u%04x', ord $1/ge;
    return $text;
}

# printable_stream(PENDING, BYTES): what can be shown of a stream of bytes; a character that is not
# complete yet waits in ${PENDING}. Bytes that are no UTF-8 are shown as \xHH. At the end of the
# stream BYTES is undef.
sub printable_stream
{
    my ($pending, $bytes) = @_;
    my $is_end = !defined $bytes;
    $bytes = ${$pending} . ($bytes // '');
    ${$pending} = '';
    my $begun = qr/[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2}/;
    ${$pending} = $1 if !$is_end && $bytes =~ s/($begun)\z//;
    my $text = Encode::decode('UTF-8', $bytes, sub { join '', map { sprintf '\\x%02X', $_ } @_ });
    return printable_lines($text);
}

# Bytes from elsewhere than a server (arguments, file names) as characters.
sub shown { return Encode::decode('UTF-8', $_[0] // '') }

# Characters as bytes for any stream of ours.
sub utf8_of
{
    my ($text) = @_;
    return Encode::encode('UTF-8', $text);
}

# put(TEXT): characters to stdout; a reader that has gone ends the program as SIGPIPE does.
sub put
{
    my ($text) = @_;
    print {*STDOUT} utf8_of($text);
    return;
}

# put_bytes(BYTES): what the server has sent, byte for byte, and a line's end; on a terminal, which
# would obey some of them, what can be printed.
sub put_bytes
{
    my ($bytes) = @_;
    my $pending = '';
    $bytes =~ s/\n?\z/\n/;
    -t STDOUT ? put(printable_stream(\$pending, $bytes)) : print {*STDOUT} $bytes;
    return;
}

# Whether a line stands on the terminal that has not ended: WfCli::Bar's.
our $is_drawn = 0;

# One line to stderr, in our name.
sub complain
{
    my ($text) = @_;
    print {*STDERR} "\r\e[K" if $is_drawn;
    $is_drawn = 0;
    print {*STDERR} utf8_of('dbsync-wf: ' . printable_lines($text) . "\n");
    return;
}

# table_row(WIDTHS, CELL, …): a row whose columns are as wide as WIDTHS (an array) says, which grow;
# the last one is as long as it is.
sub table_row
{
    my ($widths, @cells) = @_;
    my $last = pop @cells;
    my $row = '';
    for my $i (0 .. $#cells) {
        my $length = length $cells[$i];
        $widths->[$i] = $length if $length > ($widths->[$i] // 0);
        $row .= sprintf '%-*s  ', $widths->[$i], $cells[$i];
    }
    return "$row$last" =~ s/ +\z//r . "\n";
}

1;

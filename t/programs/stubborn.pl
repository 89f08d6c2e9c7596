#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# A program that will not go: ignores TERM, and so does what it has forked twice into a session of
# its own. Writes both pids into the file that it is given, complete at once, then waits for ever.
use strict;
use warnings;
use POSIX ();

my ($file) = @ARGV;
$SIG{$_} = 'IGNORE' for qw(TERM HUP INT);
pipe my $read, my $write or die "pipe: $!\n";
my $child = fork() // die "fork: $!\n";
if ($child == 0) {
    POSIX::setsid() > 0 or die "setsid: $!\n";
    my $grandchild = fork() // die "fork: $!\n";
    POSIX::_exit(0) if $grandchild != 0;
    # Nothing that ties it to its parent is left: no session, no group, no descriptor, no environment.
    syswrite $write, "$$\n";
    POSIX::close($_) for 0 .. 63;
    %ENV = ();
    exec {$^X} $^X, '-e', '$SIG{$_} = "IGNORE" for qw(TERM HUP INT); select undef, undef, undef, 600';
}
close $write;
waitpid $child, 0;
my $grandchild = <$read>;
open my $out, '>', "$file.new" or die "$file.new: $!\n";
print {$out} "$$\n$grandchild";
close $out or die "$file.new: $!\n";
rename "$file.new", $file or die "$file: $!\n";
select undef, undef, undef, 600;

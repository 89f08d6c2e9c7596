# SPDX-License-Identifier: Apache-2.0
package WfUsers;

# User files with bcrypt, whose check takes time, by htpasswd.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';

our @EXPORT_OK = qw(write_users);

# write_users(FILE, USER => PASSWORD, …): writes the file, or puts it in the place of the one that is there.
sub write_users
{
    my ($file, @users) = @_;
    open my $out, '>', "$file.new" or die "$file.new: $!\n";
    while (my ($user, $password) = splice @users, 0, 2) {
        my ($line) = qx(htpasswd -nbB '$user' '$password') =~ /^(\S+:\S+)/ or die "htpasswd failed\n";
        print {$out} "$line\n";
    }
    close $out or die "$file.new: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

1;

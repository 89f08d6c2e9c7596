# SPDX-License-Identifier: Apache-2.0
package WfMount;

# File systems of a test's own, for an ordinary user: the test starts itself again in namespaces in
# which it may mount, mounts, and goes on under its own user id in there, with whatever it starts.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use POSIX ();
use Test::More ();

our @EXPORT_OK = qw(fill free_room with_tmpfs);

# with_tmpfs(FOLDER => SIZE, …): the test has a tmpfs of that size ("24m") on each of these folders,
# which are made where they are missing. To be called before anything is started or tested. Where
# the system lets nobody mount, the test is skipped.
sub with_tmpfs
{
    my (@mounts) = @_;
    my $stage = $ENV{WF_MOUNT_STAGE} // 'outside';
    if ($stage eq 'outside') {
        my $said = qx(unshare --user --map-root-user --mount true 2>&1);
        Test::More::plan(skip_all => "no file system can be mounted here: $said") if $? != 0;
        _again('root', $<, $( + 0, qw(--map-root-user --mount));
    }
    if ($stage eq 'root') {
        while (my ($folder, $size) = splice @mounts, 0, 2) {
            -d $folder or mkdir $folder or die "$folder: $!\n";
            system('mount', '-t', 'tmpfs', '-o', "size=$size,mode=1777", 'tmpfs', $folder) == 0
                or die "a tmpfs could not be mounted on $folder\n";
        }
        my ($uid, $gid) = split /:/, $ENV{WF_MOUNT_IDS};
        _again('inside', $uid, $gid, "--map-user=$uid", "--map-group=$gid");
    }
    delete @ENV{qw(WF_MOUNT_STAGE WF_MOUNT_IDS)};
    return;
}

# Starts the test again, in place of this process.
sub _again
{
    my ($stage, $uid, $gid, @how) = @_;
    $ENV{WF_MOUNT_STAGE} = $stage;
    $ENV{WF_MOUNT_IDS} = "$uid:$gid";
    exec 'unshare', '--user', @how, '--', $^X, (map {"-I$_"} grep { !ref } @INC), $0, @ARGV;
    die "unshare: $!\n";
}

# fill(FILE): writes into a file until its disk is full.
sub fill
{
    my ($file) = @_;
    open my $out, '>>', $file or die "$file: $!\n";
    for my $size (1024 * 1024, 4096, 1) {
        my $bytes = "\0" x $size;
        1 while defined syswrite $out, $bytes;
        $!{ENOSPC} or die "$file: $!\n";
    }
    close $out or die "$file: $!\n";
    return;
}

# free_room(FILE): gives that room back.
sub free_room
{
    my ($file) = @_;
    unlink $file or die "$file: $!\n";
    return;
}

1;

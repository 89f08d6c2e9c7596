#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# Interrupting a program that ignores TERM and has forked twice, into a session of its own, a child
# that ignores TERM too ends both, after the grace, and only then is the status interrupted.
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(time);
use WfServer qw(is_alive);
use WfTest;

my $file = state_file('stubborn');
my $pid = post_run('stubborn', '{"file": "stubborn"}');
my @tree = forked_tree($file);
is(scalar(grep { is_alive($_) } @tree), 2, "the program and its grandchild run: @tree");
open my $stat, '<', "/proc/$tree[1]/stat" or die "$tree[1]: $!\n";
my @fields = split / /, <$stat> =~ s/.*\) //r;
isnt($fields[2], $tree[0], 'the grandchild is in another group');

my $began = time;
is(api('POST', "/interrupt/$pid")->status, 202, 'the interrupt is accepted');

# The status may say so only when nothing is left: look at the processes after each answer.
my $early = 0;
wait_for('the end of the run', 20, sub {
    my $status = run_get($pid)->{status};
    if ($status eq 'interrupted') {
        $early = grep { is_alive($_) } @tree;
        return 1;
    }
    return 0;
});
is($early, 0, 'nothing of it is alive when the status says interrupted');
my $took = time - $began;
cmp_ok($took, '>=', 0.9, 'the grace was kept');
cmp_ok($took, '<', 8, 'and what ignores TERM was ended soon after it');

done();

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# graceful, restart, changed settings, stop and start, ten times in a row under load: no run that was
# accepted is lost or executed twice; only a stop cuts runs short; and a graceful loses no request,
# nor does MaxConnectionsPerChild.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(write_extra);
use WfServer qw(pids_of reload);
use WfTest;
use WfTorture;

my $seed = $ENV{WF_TORTURE_SEED} // int rand 1_000_000;
note("seed $seed");

my $TIMES = 10;

# torture(NAME, OPTIONS, MAY): none of the counts but those that it may have. OPTIONS are WfTorture's.
sub torture
{
    my ($name, $options, @may) = @_;
    my @said;
    my %count = WfTorture->new(
        seed    => $seed,
        seconds => 90,
        pace    => 1,
        times   => $TIMES,
        say     => sub { push @said, @_ },
        %{$options},
    )->run;
    my %may = map { $_ => 1 } @may;
    my @none = grep { !$may{$_} } @WfTorture::PROMISES, 'cut', 'error process-lost',
        'error server-stopped';
    cmp_ok($count{posted}, '>', 20, "$name: $count{posted} runs were accepted");
    is($count{acts}, $options->{acts} ? $TIMES : 0, "$name: $count{acts} times");
    is(join(', ', grep { $count{$_} } @none), '', "$name: all promises are kept")
        or diag("seed $seed", map {"\n$_"} @said, explain(\%count));
    return;
}

torture('graceful', {acts => ['graceful']});
torture('graceful with changed settings', {acts => ['changed']});
torture('restart', {acts => ['restart']}, 'cut');
torture('stop and start', {acts => ['stop']}, 'cut', 'error server-stopped');

write_extra('torture', "MaxConnectionsPerChild 25\n");
reload();
torture('MaxConnectionsPerChild', {seconds => 5});

write_extra('torture');
reload();
wait_for('the settings of before', 30, sub {
    return pids_of('supervisor') == 1 && pids_of('keeper') == 1 && pids_of('runner') == 1;
});
run_ends_as('and the server works as before', 'completed', 'noop', '{}', project => '602');

done(qr/AH01574/, qr/WF0353/, qr/AH00045|AH00046|AH00060/);

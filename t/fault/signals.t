#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# graceful, restart, changed settings, stop and start, again and again under load: no run that was
# accepted is lost or executed twice; only a stop cuts runs short; and a graceful loses no request,
# nor does MaxConnectionsPerChild.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(write_extra);
use WfServer qw(httpd pids_of);
use WfTest;
use WfTorture;

my $seed = $ENV{WF_TORTURE_SEED} // int rand 1_000_000;
note("seed $seed");

# torture(NAME, SECONDS, ACTS, MAY): none of the counts but those that it may have.
sub torture
{
    my ($name, $seconds, $acts, @may) = @_;
    my @said;
    my %count = WfTorture->new(
        seed    => $seed,
        seconds => $seconds,
        acts    => $acts,
        say     => sub { push @said, @_ },
    )->run;
    my %may = map { $_ => 1 } @may;
    my @none = grep { !$may{$_} } qw(lost stuck double false orphans refused cut),
        'error process-lost', 'error server-stopped';
    cmp_ok($count{posted}, '>', 20, "$name: $count{posted} runs were accepted");
    cmp_ok($count{acts}, '>=', @{$acts} ? 2 : 0, "$name: $count{acts} times");
    is(join(', ', grep { $count{$_} } @none), '', "$name: all promises are kept")
        or diag("seed $seed", map {"\n$_"} @said, explain(\%count));
    return;
}

torture('graceful', 12, ['graceful']);
torture('graceful with changed settings', 12, ['changed']);
torture('restart', 12, ['restart'], 'cut');
torture('stop and start', 12, ['stop'], 'cut', 'error server-stopped');

write_extra('torture', "MaxConnectionsPerChild 25\n");
httpd('graceful');
torture('MaxConnectionsPerChild', 5, []);

write_extra('torture');
httpd('graceful');
wait_for('the settings of before', 30, sub {
    return pids_of('supervisor') == 1 && pids_of('keeper') == 1 && pids_of('runner') == 1;
});
run_ends_as('and the server works as before', 'completed', 'noop', '{}', project => '602');

done(qr/AH01574/, qr/WF0353/, qr/AH00045|AH00046|AH00060/);

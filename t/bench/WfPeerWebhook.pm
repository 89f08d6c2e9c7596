# SPDX-License-Identifier: Apache-2.0
package WfPeerWebhook;

# adnanh's webhook: a program for each request that fulfils the hook's rule. It keeps nothing, gives no
# id and knows no state, so that the client numbers its requests and the program's start is all to see.
use strict;
use warnings FATAL => 'all';
use parent 'WfPeer';
use JSON::PP ();
use WfBench qw(authorization program);

sub name       { return 'webhook' }
sub is_durable { return 0 }
sub durable    { return 'no: nothing is kept' }
sub settings   { return 'Basic credentials by a trigger-rule; programs at once without a limit; no status of a run' }
sub versions   { return {webhook => WfPeer::version_by(qr/version (\S+)/, $ENV{WF_WEBHOOK}, '-version')} }
sub post_path  { return '/hooks/stamp?id=NNNNNNNNNNNN' }
sub after      { return '-' }
sub status_path { return }
sub patience    { return 5 }

sub begin
{
    my ($self) = @_;
    my $argument = sub { return {source => $_[0], name => $_[1]} };
    my $hooks = $self->write_file('hooks.json', JSON::PP->new->encode([{
        'id'              => 'stamp',
        'execute-command' => program('stamp'),
        'http-methods'    => ['POST'],
        'success-http-response-code' => 202,
        'pass-arguments-to-command'  =>
            [$argument->(string => $self->stamps), $argument->(url => 'id'), {source => 'entire-payload'}],
        'trigger-rule' => {match => {
            type      => 'value',
            value     => authorization(),
            parameter => $argument->(header => 'Authorization'),
        }},
        'trigger-rule-mismatch-http-response-code' => 401,
    }]));
    $self->process('webhook', $ENV{WF_WEBHOOK}, '-hooks', $hooks, '-ip', '127.0.0.1', '-port', $self->port);
    return;
}

# It records no end: that its program has begun is the last that is known of it.
sub ended { my ($self) = @_; return scalar keys %{$self->stamped} }

1;

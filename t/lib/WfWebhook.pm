# SPDX-License-Identifier: Apache-2.0
package WfWebhook;

# What a receiver of callbacks was sent, and what it ought to have been signed with.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(decode_base64 encode_base64);

our @EXPORT_OK = qw(read_webhook sign_webhook);

# read_webhook(REQUEST): the bytes of a request as {line, header, body}, header by names in lower case;
# nothing where it ends too soon.
sub read_webhook
{
    my ($request) = @_;
    my ($head, $body) = split /\r\n\r\n/, $request, 2;
    return if !defined $body;
    my ($line, @lines) = split /\r\n/, $head;
    my %header = map { /^([^:]+): (.*)/ ? (lc $1 => $2) : () } @lines;
    return if length $body < ($header{'content-length'} // 0);
    return {line => $line, header => \%header, body => $body};
}

# sign_webhook(TOLD, SECRET): the webhook-signature that belongs to one.
sub sign_webhook
{
    my ($told, $secret) = @_;
    my $signed = join '.', @{$told->{header}}{qw(webhook-id webhook-timestamp)}, $told->{body};
    my $key = decode_base64($secret =~ s/^whsec_//r);
    return 'v1,' . encode_base64(hmac_sha256($signed, $key), '');
}

1;

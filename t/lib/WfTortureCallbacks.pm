# SPDX-License-Identifier: Apache-2.0
package WfTortureCallbacks;

# The callbacks of the torture: a project whose task has one, a receiver that is never killed, and what
# must be true of that which it was told. The counts, of which the last two must be 0:
#   told      ends that were told, and taken
#   told again  how often one was that had been taken
#   postponed attempts that were answered 503
#   untold    acknowledged runs that have ended and were not told, or do not say so
#   mistold   what was told falsely: signed wrongly, of no run, or otherwise than the status has it
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Time::HiRes qw(time);
use WfConfig qw(server_var);
use WfStub;
use WfTortureAsk qw(ask_surely client);
use WfWebhook qw(read_webhook sign_webhook);

our $PROJECT = '604';
our $TASK    = 'tell';
our @COUNTS  = ('told', 'told again', 'postponed');

my $SECRET = 'whsec_c2VjcmV0cyBvZiB0aGUgdG9ydHVyZSBhcmUgbm9uZQ==';
# The share of attempts that are answered late, and by how many seconds.
my $SHARE_SLOW = 0.1;
my $SLOW       = 0.2;
# Seconds from the last end to the last callback: attempts after 5 s and 30 s, and claims of the dead.
my $PATIENCE = 90;
my $json = JSON::PP->new->canonical->utf8;

# Writes the project and starts the receiver, until the object ends. FILE is what the names of its files
# begin with; postponed is the share of runs whose first attempt is answered 503.
sub new
{
    my ($class, %option) = @_;
    my $project = server_var('t_state') . "/projects/$PROJECT.json";
    my $self = bless {owner => $$, project => $project, %option}, $class;
    my $share = $self->{postponed};
    my %attempts;
    $self->{receiver} = WfStub->new("$option{file}.told", sub {
        my $told = read_webhook($_[1]) or return;
        # Some are long under way, and so likely to meet a kill.
        select undef, undef, undef, $SLOW if rand() < $SHARE_SLOW;
        return WfStub::answer(_is_taken($told, \%attempts, $share) ? 200 : 503, '');
    });
    _write("$option{file}.secret", "$SECRET\n");
    _write($self->{project}, $json->encode($self->_project));
    return $self;
}

# Whether an attempt is answered 200; counts it.
sub _is_taken
{
    my ($told, $attempts, $share) = @_;
    my $id = $told->{header}{'webhook-id'} // '';
    my ($last) = $id =~ /([0-9a-f]{4})$/;
    return $attempts->{$id}++ > 0 || hex($last // 0) >= 0x10000 * $share;
}

sub _project
{
    my ($self) = @_;
    my $script = 'echo "$DBSYNC_WF_PID $1" >>"$2"; sleep "$3"; exit "$4"';
    my @command = ('sh', '-c', $script, 'sh', '{{tag}}', server_var('t_state') . '/{{file}}',
        '{{seconds}}', '{{code}}');
    my $callback = {url => $self->{receiver}->url . '/ended', secretFile => "$self->{file}.secret"};
    return {
        id    => $PROJECT,
        name  => 'What the torture runs and is told of',
        tasks => {$TASK => {
            api   => {callback => $callback},
            flows => [{name => 'main', actions => [{action => 'exec', command => \@command}]}],
        }},
    };
}

# A whole file at once.
sub _write
{
    my ($file, $text) = @_;
    open my $out, '>', "$file.new" or die "$file.new: $!\n";
    print {$out} $text;
    close $out or die "$file.new: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

# compare(RUNS, COUNT, FOUND): when RUNS, by pid those of the task that were acknowledged, have all
# ended. FOUND is called with what is broken, where and how.
sub compare
{
    my ($self, $runs, $count, $found) = @_;
    my $deadline = time + $PATIENCE;
    my $client = client(keep => 1);
    my %shown = map { $_ => _shown($client, $_, $deadline) } keys %{$runs};
    my (%attempts, %taken);
    # What was told in time, and also of runs whose answer was cut.
    for my $told (map { read_webhook($_) } $self->{receiver}->requests) {
        my $pid = $told->{header}{'webhook-id'} // '';
        my $is_taken = _is_taken($told, \%attempts, $self->{postponed});
        $count->{postponed}++ if !$is_taken;
        $count->{'told again'}++ if $is_taken && $taken{$pid}++;
        $shown{$pid} //= _shown($client, $pid, $deadline);
        my $wrong = _wrong($told, $shown{$pid});
        $found->('mistold', $pid, $wrong) if $wrong;
    }
    $count->{told} = keys %taken;
    for my $pid (sort keys %shown) {
        my $callback = ($shown{$pid} // next)->{callback}{status} // 'none';
        $found->('untold', $pid, "its callback is $callback, taken " . ($taken{$pid} // 0) . ' times')
            if $callback ne 'delivered' || !$taken{$pid};
    }
    return;
}

# The run as its status shows it when it is told; undef where it is none.
sub _shown
{
    my ($client, $pid, $deadline) = @_;
    while (1) {
        my $answer = ask_surely($client, 'GET', "/status/$pid", $deadline);
        return if $answer && $answer->status == 404;
        my $run = $answer && $answer->status == 200 ? $answer->json : {};
        return $run if ($run->{callback}{status} // '') =~ /^(?:delivered|failed)$/ || time > $deadline;
        select undef, undef, undef, 0.02;
    }
}

# Why what was told is wrong; empty where it is not.
sub _wrong
{
    my ($told, $shown) = @_;
    my $event = eval { $json->decode($told->{body}) } or return 'no JSON';
    my $header = $told->{header};
    return 'signed wrongly' if ($header->{'webhook-signature'} // '') ne sign_webhook($told, $SECRET);
    return 'of no run' if !$shown;
    return "an event $event->{type}" if $event->{type} ne 'run.ended';
    my ($said, $is) = map { $json->encode({%{$_}, callback => undef}) } $event->{data}, $shown;
    return $said eq $is ? '' : "told $said, and is $is";
}

sub DESTROY
{
    my ($self) = @_;
    unlink $self->{project} if $self->{owner} == $$;
    return;
}

1;

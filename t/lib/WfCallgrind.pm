# SPDX-License-Identifier: Apache-2.0
package WfCallgrind;

# Instructions, as valgrind's callgrind counts them in every process that comes of a command. A process
# writes what it has counted, and begins anew, whenever it comes to one of certain functions: so whoever
# can make it call one can have what lies between two such moments.
#
#   my $counts = WfCallgrind->new(FOLDER, keeper => 'wf_state_list');
#   system $counts->command, 'program';
#   …                              # the keeper comes to wf_state_list, and after some work once more
#   my $costs = $counts->take;     # what each process has counted by then
#   my ($instructions, $calls) = cost($costs->{keeper}, 'do_get');
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';

our @EXPORT_OK = qw(cost difference);

# A folder that exists, and the function of each process by a name that the caller chooses for it.
sub new
{
    my ($class, $folder, %marks) = @_;
    return bless {folder => $folder, marks => {reverse %marks}, taken => {}}, $class;
}

# The command that starts another one so. Threads take turns, so that a lease is kept. Functions are
# to be bound before anything is counted: let LD_BIND_NOW be in the environment.
sub command
{
    my ($self) = @_;
    return (
        'valgrind', '--quiet', '--tool=callgrind', '--trace-children=yes', '--fair-sched=yes',
        "--callgrind-out-file=$self->{folder}/counts.%p", "--log-file=$self->{folder}/said.%p",
        map {"--dump-before=$_"} sort keys %{$self->{marks}}
    );
}

# What has been written since the last call: of each process the last part, as a reference to
# {FUNCTION => [INSTRUCTIONS, CALLS]}, where the instructions are those of all that it called as well.
sub take
{
    my ($self) = @_;
    my %last;
    for my $file (glob "$self->{folder}/counts.*.*") {
        my ($part) = $file =~ /\.(\d+)$/;
        next if $self->{taken}{$file}++;
        my $process = $self->_process($file) or next;
        $last{$process} = [$part, $file] if !$last{$process} || $last{$process}[0] < $part;
    }
    return {map { $_ => _read($last{$_}[1]) } keys %last};
}

# The process whose function made it write the file.
sub _process
{
    my ($self, $file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    while (my $line = <$in>) {
        return $self->{marks}{$1} if $line =~ /^desc: Trigger: --dump-before=(\w+)$/;
        return if $line =~ /^(?:fn|fl|ob)=/;
    }
    return;
}

# A function's calls stand with those who call it: "cfn=" names it, "calls=" says how often, and the
# line after that what they cost. A name is written out once, and is a number from then on. One that
# calls itself has "'2" after its name there, which is within the first.
sub _read
{
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    my (%names, %costs, $callee);
    while (my $line = <$in>) {
        if ($line =~ /^(c?)fn=\((\d+)\)(?: (.*))?$/) {
            $names{$2} = $3 if defined $3;
            $callee = $names{$2} if $1;
        } elsif ($line =~ /^calls=(\d+) /) {
            my $calls = $1;
            my ($cost) = <$in> =~ /^\S+ (\d+)$/ or die "$file cannot be understood\n";
            $costs{$callee}[0] += $cost;
            $costs{$callee}[1] += $calls;
        }
    }
    return \%costs;
}

# cost(COSTS, FUNCTION): its instructions and its calls; none of either where it was not called.
sub cost
{
    my ($costs, $function) = @_;
    return @{$costs->{$function} // [0, 0]};
}

# difference(COSTS, FEWER, BY): what COSTS has more than FEWER, divided by BY.
sub difference
{
    my ($costs, $fewer, $by) = @_;
    my %more;
    for my $function (keys %{$costs}) {
        my @less = cost($fewer, $function);
        $more{$function} = [map { ($costs->{$function}[$_] - $less[$_]) / $by } 0, 1];
    }
    return \%more;
}

1;

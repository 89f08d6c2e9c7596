# SPDX-License-Identifier: Apache-2.0
package WfOther;

# Another httpd beside the test server, with the same modules, users and projects, and a state
# directory of its own, for tests that damage it. It is stopped when the object goes.
use strict;
use warnings FATAL => 'all';
use File::Path qw(remove_tree);
use Time::HiRes qw(time);
use WfConfig qw(free_port server_vars write_conf);
use WfHttp ();
use WfLog ();
use WfServer qw(children_of is_alive name_of);
use WfTest ();

# Options: name, of a folder under t/state that is made anew; state, the state directory (default:
# NAME/runs); lines of configuration.
sub new
{
    my ($class, %option) = @_;
    my %vars = server_vars();
    my $self = bless {folder => "$vars{t_state}/$option{name}", vars => \%vars, %option}, $class;
    remove_tree($self->{folder}, {keep_root => 1});
    -d $self->{folder} or mkdir $self->{folder} or die "$self->{folder}: $!\n";
    $self->{state} //= "$self->{folder}/runs";
    $self->{port} = free_port();
    $self->{owner} = $$;
    return $self;
}

sub state  { return $_[0]{state} }
sub folder { return $_[0]{folder} }

# Starts it, and comes back when httpd's parent has written its process id.
sub start
{
    my ($self) = @_;
    my $folder = $self->{folder};
    my $httpd = write_conf("$folder/httpd.conf", $self->{port}, $self->_lines);
    unlink "$folder/httpd.pid";
    my $said = qx($httpd -k start 2>&1);
    die "$httpd -k start: $said\n" if $? != 0;
    WfTest::wait_for('the process id', 20, sub { -s "$folder/httpd.pid" });
    open my $in, '<', "$folder/httpd.pid" or die "$folder/httpd.pid: $!\n";
    ($self->{parent}) = <$in> =~ /(\d+)/;
    return;
}

sub _lines
{
    my ($self) = @_;
    return <<"END" . ($self->{lines} // '');
PidFile "$self->{folder}/httpd.pid"
ErrorLog "$self->{folder}/error_log"
LogLevel warn dbsync_wf:info
<IfModule mod_mime.c>
    TypesConfig /dev/null
</IfModule>
DbsyncWfStateDir "$self->{state}"
DbsyncWfProjects "$self->{vars}{t_state}/projects"
DbsyncWfCacheSize 4M
DbsyncWfThreads 8
<Location "/cw/api/v2">
    SetHandler dbsync-wf
    AuthType Basic
    AuthName "DBSync workflows"
    AuthUserFile "$self->{vars}{t_state}/users"
    Require valid-user
</Location>
END
}

# Stops it, and comes back when no process of it is left.
sub stop
{
    my ($self) = @_;
    my $parent = delete $self->{parent} or return;
    my @all = ($parent, $self->_processes($parent));
    kill 'TERM', $parent;
    WfTest::wait_for('the other httpd to end', 40, sub { !grep { is_alive($_) } @all });
    return;
}

sub DESTROY
{
    my ($self) = @_;
    return if $$ != $self->{owner};
    local ($@, $?, $!);
    eval { $self->stop; 1 } or print STDERR $@;
    return;
}

sub _processes
{
    my ($self, $parent) = @_;
    my @children = children_of($parent);
    return map { ($_, children_of($_)) } @children;
}

# The process of a kind (supervisor, keeper, runner), 0 where there is none at the moment.
sub pid_of
{
    my ($self, $kind) = @_;
    my ($pid) = grep { name_of($_) eq "wf-$kind" } $self->_processes($self->{parent});
    return $pid // 0;
}

# request(METHOD, PATH, OPTION => …), as WfHttp has it; PATH is taken under the base. `json` is a body.
# With the seconds that it took in `seconds`.
sub request
{
    my ($self, $method, $path, %option) = @_;
    @option{qw(body type)} = (delete $option{json}, 'application/json') if defined $option{json};
    my $client = WfHttp->new(port => $self->{port}, user => 'alice', password => 'wonderland');
    my $began = time;
    my $answer = $client->request($method, "/cw/api/v2$path", %option);
    $answer->{seconds} = time - $began;
    return $answer;
}

# The answer to a POST of a run.
sub post
{
    my ($self, $project, $task, $json) = @_;
    return $self->request('POST', "/projects/$project/tasks/$task/run?trigger=API",
        json => $json // '{}');
}

# Posts a run, repeating it while it is answered 503, and gives its pid.
sub accepted
{
    my ($self, $project, $task, $json, $seconds) = @_;
    return WfTest::wait_for("an accepted run of $task", $seconds // 20, sub {
        my $answer = eval { $self->post($project, $task, $json) } or return;
        return $answer->status == 202 ? $answer->json->{pid} : undef;
    });
}

# The run, which must be there.
sub run_get
{
    my ($self, $pid) = @_;
    my $answer = $self->request('GET', "/status/$pid");
    die "status of $pid: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    return $answer->json;
}

# Waits until a run has ended, and gives it.
sub run_end
{
    my ($self, $pid, $seconds) = @_;
    my $run;
    WfTest::wait_for("the end of run $pid", $seconds // 20,
        sub { ($run = $self->run_get($pid))->{status} =~ /^(?:completed|error|interrupted)$/ });
    return $run;
}

# A log object for what is written from now on; and the lines, all of them, that match.
sub log_from_here
{
    my ($self) = @_;
    return WfLog->new("$self->{folder}/error_log");
}

sub log_lines
{
    my ($self, $pattern) = @_;
    open my $in, '<', "$self->{folder}/error_log" or return;
    return grep { $_ =~ $pattern } <$in>;
}

1;

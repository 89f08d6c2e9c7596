# SPDX-License-Identifier: Apache-2.0
package WfHttpd;

# An httpd of a test's own, beside the test server: with its modules and project files, and what else
# the test says. Its folder is t/state/NAME, made anew. It is stopped when the object goes.
#
#   my $httpd = WfHttpd->new('clock', lines => "DbsyncWfThreads 4\n", env => {TZ => 'UTC'});
#   $httpd->start;
#   $httpd->api('GET', '/status/none')->status;
#   $httpd->stop;
use strict;
use warnings FATAL => 'all';
use File::Path qw(remove_tree);
use Time::HiRes qw(time);
use WfConfig qw(free_port server_vars write_conf);
use WfHttp ();
use WfServer qw(is_alive);

my $PATIENCE = 30;

# Options: lines, of its configuration; base (1): whether it has the API's base; state_dir
# (FOLDER/runs); env: variables that httpd is started with.
sub new
{
    my ($class, $name, %option) = @_;
    my %vars = server_vars();
    my $folder = "$vars{t_state}/$name";
    remove_tree($folder);
    mkdir $folder or die "$folder: $!\n";
    my $self = bless {
        folder    => $folder,
        conf      => "$folder/httpd.conf",
        port      => free_port(),
        state_dir => "$folder/runs",
        lines     => '',
        base      => 1,
        env       => {},
        %option,
    }, $class;
    $self->configure($self->{lines});
    return $self;
}

sub folder    { return $_[0]{folder} }
sub state_dir { return $_[0]{state_dir} }

# Writes its configuration, with these lines of the test; for its next start or graceful.
sub configure
{
    my ($self, $lines) = @_;
    my %vars = server_vars();
    my $base = !$self->{base} ? '' : <<"END";
<Location "/cw/api/v2">
    SetHandler dbsync-wf
    AuthType Basic
    AuthName "DBSync workflows"
    AuthUserFile "$vars{t_state}/users"
    Require valid-user
</Location>
END
    $self->{command} = write_conf($self->{conf}, $self->{port}, <<"END");
PidFile "$self->{folder}/httpd.pid"
ErrorLog "$self->{folder}/error_log"
LogLevel info
<IfModule mod_mime.c>
    TypesConfig /dev/null
</IfModule>
DbsyncWfStateDir "$self->{state_dir}"
DbsyncWfProjects "$vars{t_state}/projects"
$lines$base
END
    return;
}

# httpd -k ACTION; what it said. Dies where it failed.
sub control
{
    my ($self, $action) = @_;
    local %ENV = (%ENV, %{$self->{env}});
    my $said = qx($self->{command} -k $action 2>&1);
    die "$self->{command} -k $action: $said\n" if $? != 0;
    return $said;
}

# Starts it, and waits until it answers.
sub start
{
    my ($self) = @_;
    $self->control('start');
    my $deadline = time + $PATIENCE;
    until (eval { $self->request('GET', '/') } && $self->pid) {
        die "an httpd of a test's own does not serve\n" if time > $deadline;
        select undef, undef, undef, 0.02;
    }
    return;
}

# Its parent process; 0 where there is none.
sub pid
{
    my ($self) = @_;
    open my $in, '<', "$self->{folder}/httpd.pid" or return 0;
    return (<$in> // '') =~ /^(\d+)/ ? $1 : 0;
}

# Its living processes of one kind: supervisor, keeper or runner.
sub pids_of
{
    my ($self, $kind) = @_;
    return WfServer::pids_of($kind, $self->{conf});
}

# Stops it, and waits until nothing of it is alive; dies where that takes too long.
sub stop
{
    my ($self) = @_;
    my $pid = $self->pid or return;
    my @ours = ($pid, map { $self->pids_of($_) } qw(supervisor keeper runner));
    kill 'TERM', $pid;
    my $deadline = time + $PATIENCE;
    while (grep { is_alive($_) } @ours) {
        die "an httpd of a test's own does not end: @ours\n" if time > $deadline;
        select undef, undef, undef, 0.02;
    }
    return;
}

sub DESTROY
{
    my ($self) = @_;
    local ($@, $?);
    eval { $self->stop; 1 } or warn $@;
    return;
}

# A request as alice; arguments as WfHttp::request's.
sub request
{
    my ($self, @request) = @_;
    return WfHttp->new(port => $self->{port}, user => 'alice', password => 'wonderland')
        ->request(@request);
}

# The same under the base; json => text is a body of type application/json.
sub api
{
    my ($self, $method, $path, %option) = @_;
    if (defined(my $json = delete $option{json})) {
        @option{qw(body type)} = ($json, 'application/json');
    }
    return $self->request($method, "/cw/api/v2$path", %option);
}

# Posts a run and gives its pid; dies where it is not accepted.
sub post_run
{
    my ($self, $project, $task, $json) = @_;
    my $answer = $self->api('POST', "/projects/$project/tasks/$task/run?trigger=API",
        json => $json // '{}');
    die "run of $task: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 202;
    return $answer->json->{pid};
}

sub run_get
{
    my ($self, $pid) = @_;
    my $answer = $self->api('GET', "/status/$pid");
    die "status of $pid: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    return $answer->json;
}

# Waits until a run has ended, and gives it; dies after so many seconds.
sub run_end
{
    my ($self, $pid, $seconds) = @_;
    my $deadline = time + ($seconds // 20);
    while (1) {
        my $run = $self->run_get($pid);
        return $run if $run->{status} =~ /^(?:completed|error|interrupted)$/;
        die "waited in vain for the end of run $pid: $run->{status}\n" if time > $deadline;
        select undef, undef, undef, 0.02;
    }
}

# Its error log.
sub log
{
    my ($self) = @_;
    open my $in, '<', "$self->{folder}/error_log" or return '';
    local $/ = undef;
    return <$in>;
}

1;

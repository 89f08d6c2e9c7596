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
use WfLog ();
use WfServer qw(is_alive);

my $PATIENCE = 40;

# Options: lines, of its configuration; state_dir (FOLDER/runs); env: variables that httpd is started
# with; under: a command that is to start it, such as valgrind with its options.
sub new
{
    my ($class, $name, %option) = @_;
    my %vars = server_vars();
    my $folder = "$vars{t_state}/$name";
    # It may be a file system of the test's own.
    remove_tree($folder, {keep_root => 1});
    -d $folder or mkdir $folder or die "$folder: $!\n";
    my $self = bless {
        folder    => $folder,
        conf      => "$folder/httpd.conf",
        port      => free_port(),
        state_dir => "$folder/runs",
        lines     => '',
        env       => {},
        under     => '',
        owner     => $$,
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
    $self->{command} = write_conf($self->{conf}, $self->{port}, <<"END");
PidFile "$self->{folder}/httpd.pid"
ErrorLog "$self->{folder}/error_log"
LogLevel warn dbsync_wf:info
<IfModule mod_mime.c>
    TypesConfig /dev/null
</IfModule>
DbsyncWfStateDir "$self->{state_dir}"
DbsyncWfProjects "$vars{t_state}/projects"
DbsyncWfCacheSize 4M
DbsyncWfThreads 8
$lines
<Location "/cw/api/v2">
    SetHandler dbsync-wf
    AuthType Basic
    AuthName "DBSync workflows"
    AuthUserFile "$vars{t_state}/users"
    Require valid-user
</Location>
END
    return;
}

# httpd -k ACTION; what it said. Dies where it failed.
sub control
{
    my ($self, $action) = @_;
    local %ENV = (%ENV, %{$self->{env}});
    my $command = join ' ', grep {length} $self->{under}, $self->{command}, "-k $action";
    my $said = qx($command 2>&1);
    die "$command: $said\n" if $? != 0;
    return $said;
}

# Starts it, and waits until it answers.
sub start
{
    my ($self) = @_;
    unlink "$self->{folder}/httpd.pid";
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

# The one process of a kind, 0 where there is none at the moment.
sub pid_of
{
    my ($self, $kind) = @_;
    return ($self->pids_of($kind))[0] // 0;
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
    return if $$ != $self->{owner}; # a client that the test has forked
    local ($@, $?, $!);
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

# The same under the base; json => text is a body of type application/json. `seconds` of the answer
# is how long it took.
sub api
{
    my ($self, $method, $path, %option) = @_;
    if (defined(my $json = delete $option{json})) {
        @option{qw(body type)} = ($json, 'application/json');
    }
    my $began = time;
    my $answer = $self->request($method, "/cw/api/v2$path", %option);
    $answer->{seconds} = time - $began;
    return $answer;
}

# The answer to a POST of a run.
sub post
{
    my ($self, $project, $task, $json) = @_;
    return $self->api('POST', "/projects/$project/tasks/$task/run?trigger=API", json => $json // '{}');
}

# Posts a run, again and again where it is answered 503, for so many seconds (20), and gives its pid.
sub accepted
{
    my ($self, $project, $task, $json, $seconds) = @_;
    my $deadline = time + ($seconds // 20);
    while (1) {
        my $answer = eval { $self->post($project, $task, $json) };
        return $answer->json->{pid} if $answer && $answer->status == 202;
        die "waited in vain for an accepted run of $task\n" if time > $deadline;
        select undef, undef, undef, 0.02;
    }
}

# Posts a run and gives its pid; dies where it is not accepted.
sub post_run
{
    my ($self, $project, $task, $json) = @_;
    my $answer = $self->post($project, $task, $json);
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

# What is written into its error log from now on, as a WfLog.
sub log_from_here
{
    my ($self) = @_;
    return WfLog->new("$self->{folder}/error_log");
}

# The lines of its error log that match.
sub log_lines
{
    my ($self, $pattern) = @_;
    return grep { $_ =~ $pattern } split /^/, $self->log;
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

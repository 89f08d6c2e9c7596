# SPDX-License-Identifier: Apache-2.0
package WfPeerCgi;

# A CGI program under the same httpd (event, mod_cgid): t/bench/spool.c, which keeps the body on disk,
# runs the program in the background, and moves the file to where clients see it.
use strict;
use warnings FATAL => 'all';
use parent 'WfPeerOurs';
use WfBench qw(bench_httpd program);
use WfConfig qw(server_var);

sub name        { return 'CGI' }
sub durable     { return 'the body: fsync of file and folder before the answer; nobody runs what a crash has left' }
sub settings    { return 'event 1 x 64 threads, mod_cgid, a static C program; programs at once without a limit' }
sub post_path   { return '/cgi' }
sub hold        { return }
sub after       { return '"id":"' }
sub status_path { my ($self, $id) = @_; return "/done/$id" }
sub patience    { return 5 }

sub start
{
    my ($self) = @_;
    my $libexec = server_var('libexecdir');
    my $folder = server_var('t_state') . '/bench-cgi';
    my $auth = qq{AuthType Basic\nAuthName bench\nAuthUserFile "$folder/users"\nRequire valid-user\n};
    $self->{httpd} = bench_httpd('bench-cgi', <<"END", {});
LoadModule cgid_module "$libexec/mod_cgid.so"
ScriptSock "$folder/cgi.sock"
<Location "/cgi">
    SetHandler cgi-script
    Options ExecCGI
    $auth
</Location>
<Location "/done">
    $auth
</Location>
END
    mkdir "$folder/$_" or die "$folder/$_: $!\n" for qw(spool docs/done);
    symlink program('stamp'), "$folder/program" or die "program: $!\n";
    symlink program('spool'), "$folder/docs/cgi" or die "cgi: $!\n";
    $self->{stamps} = "$folder/stamps";
    $self->{httpd}->start;
    return;
}

sub end_of { my ($self, $answer) = @_; return $answer->status == 200 ? 'completed' : '' }

sub ended { my ($self) = @_; return scalar(() = glob $self->{httpd}->folder . '/docs/done/*') }

# What the module has started in this httpd is none of it.
sub pids { my ($self) = @_; return grep { WfServer::name_of($_) !~ /^wf-/ } $self->SUPER::pids }

# httpd's child and mod_cgid's daemon, which httpd replaces; of the keeper and the runner of the module,
# which is loaded here too, nothing depends.
sub victims
{
    my ($self) = @_;
    return grep { WfServer::name_of($_) !~ /^wf-/ } WfServer::children_of($self->{httpd}->pid);
}

1;

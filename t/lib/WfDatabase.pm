# SPDX-License-Identifier: Apache-2.0
package WfDatabase;

# A database of a test's own, in a folder of its own, on a Unix socket: a PostgreSQL or MariaDB server
# that runs as the user of the test, or a SQLite file. A server is ended when the object goes.
#
#   my $db = WfDatabase->start('pgsql', $folder);
#   $db->sql('CREATE TABLE t (a int)');
#   $db->connector;    # what a project file says of it
#   $db->stop;
use strict;
use warnings FATAL => 'all';
use File::Path qw(make_path remove_tree);
use IPC::Open3 qw(open3);
use POSIX ();
use Time::HiRes qw(time);

my $PATIENCE = 60;

my %KIND = (
    sqlite3 => {programs => ['sqlite3']},
    pgsql   => {programs => [qw(initdb postgres psql)]},
    mysql   => {programs => [qw(mariadb-install-db mariadbd mariadb)]},
);

# Where a program is; Debian keeps PostgreSQL's out of PATH.
sub program
{
    my ($name) = @_;
    my @newest_first = sort { $b cmp $a } glob '/usr/lib/postgresql/*/bin';
    for my $folder (split(/:/, $ENV{PATH}), '/usr/sbin', '/sbin', @newest_first) {
        return "$folder/$name" if -x "$folder/$name";
    }
    return;
}

# The programs that a kind needs and that are not installed.
sub missing
{
    my ($kind) = @_;
    return grep { !program($_) } @{$KIND{$kind}{programs}};
}

# Makes a fresh one in that folder, which must not be there yet or is emptied, and waits until it
# serves. Options, of PostgreSQL: fsync ('off');
# odbc (0): whether its connector is an ODBC one.
sub start
{
    my ($class, $kind, $folder, %option) = @_;
    remove_tree($folder);
    make_path($folder);
    my $self = bless {kind => $kind, folder => $folder, owner => $$, fsync => 'off', %option}, $class;
    if ($kind eq 'pgsql') {
        $self->_start_pgsql;
    }
    elsif ($kind eq 'mysql') {
        $self->_start_mysql;
    }
    return $self;
}

sub kind   { return $_[0]{kind} }
sub folder { return $_[0]{folder} }
sub pid    { return $_[0]{pid} }

# The command line of its server, for those who start it again by themselves after `stop`.
sub command { return @{$_[0]{command}} }

# The password of the user "secret", whom a server lets in by it alone.
sub password { return $_[0]{kind} eq 'pgsql' ? q{it's "a\\b" %20 c} : q{it's"a\\b=%20c} }

# The connector, as a project file has it; of another user than "wf", whom a server trusts.
sub connector
{
    my ($self, $user) = @_;
    $user //= 'wf';
    return {type => 'sql', driver => 'odbc', params => "CONNECT='Driver=PostgreSQL Unicode;"
            . "Servername=$self->{folder};Database=postgres;Uid=$user;UseDeclareFetch=1'"}
        if $self->{odbc};
    my %params = (
        sqlite3 => "$self->{folder}/test.db",
        pgsql   => "host=$self->{folder} user=$user dbname=postgres",
        mysql   => "sock=$self->{folder}/socket,user=$user,dbname=test",
    );
    return {type => 'sql', driver => $self->{kind}, params => $params{$self->{kind}}};
}

# Executes statements by the database's own client program, and gives what it prints: one line a row,
# columns with "|" between them. Dies where one fails.
sub sql
{
    my ($self, $statements) = @_;
    my ($status, $said) = _run($statements, $self->client);
    die "$self->{kind}: $said\n$statements\n" if $status != 0;
    $said =~ tr/\t/|/ if $self->{kind} eq 'mysql';
    return $said;
}

# The command line of that program, which reads statements.
sub client
{
    my ($self) = @_;
    return (program('sqlite3'), '-batch', '-bail', '-cmd', '.timeout 20000', "$self->{folder}/test.db")
        if $self->{kind} eq 'sqlite3';
    return (program('psql'), qw(-X -q -At -v ON_ERROR_STOP=1 -U wf -d postgres -h), $self->{folder})
        if $self->{kind} eq 'pgsql';
    return (program('mariadb'), qw(--no-defaults -N -B --raw --default-character-set=utf8mb4 -u wf -S),
        "$self->{folder}/socket", 'test');
}

sub _start_pgsql
{
    my ($self) = @_;
    my $data = "$self->{folder}/data";
    _done(program('initdb'), '-D', $data,
        qw(-U wf -A trust -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions));
    open my $hba, '>', "$data/pg_hba.conf" or die "$data: $!\n";
    print {$hba} "local all secret scram-sha-256\nlocal all all trust\n";
    close $hba;
    $self->_spawn(program('postgres'), '-D', $data, '-k', $self->{folder},
        map { ('-c', $_) } 'listen_addresses=', "fsync=$self->{fsync}", 'max_wal_size=2GB',
        'shared_buffers=64MB', 'unix_socket_permissions=0700', 'timezone=Europe/Paris');
    $self->_await(sub { (_run('SELECT 1', $self->client))[0] == 0 });
    $self->sql('CREATE ROLE secret LOGIN PASSWORD ' . _quote($self->password));
    return;
}

sub _start_mysql
{
    my ($self) = @_;
    my $data = "$self->{folder}/data";
    _done(program('mariadb-install-db'), '--no-defaults', "--datadir=$data", '--skip-test-db',
        '--auth-root-authentication-method=normal', '--skip-name-resolve', '--force');
    $self->_spawn(program('mariadbd'), '--no-defaults', "--datadir=$data", '--skip-networking',
        "--socket=$self->{folder}/socket", "--pid-file=$self->{folder}/pid",
        '--innodb-buffer-pool-size=64M', '--innodb-flush-log-at-trx-commit=0',
        '--character-set-server=utf8mb4', '--log-error=' . "$self->{folder}/log");
    my @root = (program('mariadb'), qw(--no-defaults -u root -S), "$self->{folder}/socket");
    $self->_await(sub { (_run('SELECT 1', @root))[0] == 0 });
    my $password = _quote($self->password =~ s/\\/\\\\/gr);
    my ($status, $said) = _run(<<"END", @root);
CREATE DATABASE test;
CREATE USER wf\@localhost, secret\@localhost IDENTIFIED BY $password;
GRANT ALL ON test.* TO wf\@localhost, secret\@localhost;
END
    die "mariadb: $said\n" if $status != 0;
    return;
}

# Starts the server, which is a child of the test; what it says goes to FOLDER/said.
sub _spawn
{
    my ($self, @command) = @_;
    $self->{command} = [@command];
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null' or POSIX::_exit(1);
        open STDOUT, '>', "$self->{folder}/said" or POSIX::_exit(1);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
        setpgrp 0, 0;
        { no warnings 'exec'; exec @command; }
        POSIX::_exit(1);
    }
    $self->{pid} = $pid;
    return;
}

sub _await
{
    my ($self, $serves) = @_;
    my $deadline = time + $PATIENCE;
    until ($serves->()) {
        my $ended = waitpid($self->{pid}, POSIX::WNOHANG()) != 0;
        if ($ended || time > $deadline) {
            $self->{pid} = 0 if $ended;
            my ($log) = grep {-e} "$self->{folder}/log", "$self->{folder}/said";
            die "$self->{kind} does not serve: ", _text($log), "\n";
        }
        select undef, undef, undef, 0.05;
    }
    return;
}

# Ends the server in its orderly way, and waits for it.
sub stop
{
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill $self->{kind} eq 'pgsql' ? 'INT' : 'TERM', $pid;
    my $deadline = time + $PATIENCE;
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        if (time > $deadline) {
            kill 'KILL', $pid;
            waitpid $pid, 0;
            die "$self->{kind} did not end in time\n";
        }
        select undef, undef, undef, 0.02;
    }
    return;
}

sub DESTROY
{
    my ($self) = @_;
    return if $$ != $self->{owner};
    local ($@, $?);
    eval { $self->stop; 1 } or warn $@;
    return;
}

sub _quote { return q{'} . ($_[0] =~ s/'/''/gr) . q{'} }

# A program's status and what it printed, with `input` as its standard input.
sub _run
{
    my ($input, @command) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $pid = open3(my $in, my $out, undef, @command);
    print {$in} $input;
    close $in;
    my $said = do { local $/ = undef; <$out> } // '';
    waitpid $pid, 0;
    return ($?, $said);
}

sub _done
{
    my (@command) = @_;
    my ($status, $said) = _run('', @command);
    die "@command: $said\n" if $status != 0;
    return;
}

sub _text
{
    my ($file) = @_;
    open my $in, '<', $file or return '';
    local $/ = undef;
    return <$in> // '';
}

1;

#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# GET /projects, /projects/{p} and /projects/{p}/tasks/{t}: what the user may run, what it takes, and how
# its runs do; nothing that a project keeps to itself.
use strict;
use warnings FATAL => 'all';
use WfConfig qw(server_var);
use WfTest;

my $folder = server_var('t_state') . '/projects';
my $base = '/cw/api/v2';
my $cat = '"flows": [{"actions": [{"action": "exec", "command": ["cat"]}]}]';
my @made;

# Puts a project file in its place at once.
sub install
{
    my ($id, $text) = @_;
    my $file = "$folder/$id.json";
    open my $out, '>', "$file.new" or die "$file.new: $!\n";
    print {$out} $text;
    close $out or die "$file.new: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    push @made, $file;
    return;
}

sub get
{
    my ($path, %option) = @_;
    my $answer = api('GET', $path, %option);
    die "$path: ", $answer->status, ' ', $answer->body, "\n" if $answer->status != 200;
    return $answer->json;
}

# All ids of the list, page by page; dies where there are too many pages.
sub ids
{
    my ($limit, %option) = @_;
    my (@ids, $cursor);
    for (1 .. 1000) {
        my $page = get("/projects?limit=$limit" . (defined $cursor ? "&cursor=$cursor" : ''), %option);
        cmp_ok(scalar @{$page->{projects}}, '<=', $limit, "no more than $limit on a page") if $limit < 3;
        push @ids, map { $_->{projectId} } @{$page->{projects}};
        $cursor = $page->{next};
        return @ids if !defined $cursor;
    }
    die "the list does not end\n";
}

# ---- the list ----

my @shipped = sort qw(569 570 571 572 573 600 601 602 603 605 607);
my @all = ids(500);
is_deeply([grep { my $id = $_; grep { $_ eq $id } @shipped } @all], \@shipped, 'all projects are listed, in order');
is_deeply([ids(1)], \@all, 'one by one');
is_deeply([ids(2)], \@all, 'two by two');
is_deeply([ids(500, user => 'bob')], [grep { $_ ne '601' } @all], 'bob does not see what is alice\'s alone');
my ($first) = grep { $_->{projectId} eq '569' } @{get('/projects?limit=500')->{projects}};
is_deeply($first, {projectId => '569', name => 'CRM to ERP', uri => "$base/projects/569"}, 'a project of the list');

rows(
    ['the list', ['GET', '/projects'], 200, headers => {'Content-Type' => 'application/json',
        'Cache-Control' => 'private, no-cache', 'ETag' => qr/^"[0-9a-f]{32}"$/}],
    ['HEAD', ['HEAD', '/projects'], 200, empty => 1],
    map({ ["$_->[0] is refused", ['GET', "/projects?$_->[0]"], 400, problem => 'bad-request',
            detail => $_->[1]] }
        ['limit=0', qr/limit must be a whole number from 1 to 500/], ['limit=501', qr/from 1 to 500/],
        ['cursor=', qr/cursor must be an id/], ['cursor=..%2F..%2Fetc', qr/cursor must be an id/],
        ['cursor=a%00', qr/cursor must/], ['cursor=a&cursor=b', qr/each argument once/]),
);

# ---- one project, one task ----

my %project = %{get('/projects/569')};
is($project{projectId}, '569', 'a project');
is($project{name}, 'CRM to ERP', 'its name');
is_deeply([map { $_->{taskId} } @{$project{tasks}}], [qw(12 13 14 15)], 'its tasks, in the order of the file');
is_deeply($project{tasks}[0], {taskId => '12', name => 'Upsert customer', uri => "$base/projects/569/tasks/12",
    runUri => "$base/projects/569/tasks/12/run?trigger=API"}, 'one of them');

my $task = get('/projects/569/tasks/12');
my %expected = (
    taskId  => '12',
    name    => 'Upsert customer',
    uri     => "$base/projects/569/tasks/12",
    runUri  => "$base/projects/569/tasks/12/run?trigger=API",
    project => {projectId => '569', name => 'CRM to ERP', uri => "$base/projects/569"},
    timeout => 60,
    overlap => 'queue',
    onLost  => 'fail',
    flows   => [{name => 'main', enabled => JSON::PP::true, actions => [
        {action => 'wait', name => 'let the status be seen'}, {action => 'exec', name => 'greet the customer'}]}],
    parameters => [map { {path => $_} } qw(name address/lineOne address/city)],
    example    => {name => 'John Doe',
        address => {lineOne => '123 Main Street', city => 'Nashville', state => 'TN'}},
);
is_deeply($task->{$_}, $expected{$_}, "a task: $_") for sort keys %expected;
is_deeply([sort keys %{$task}], [sort keys %expected, qw(underWay latest lastRuns)], 'and no more than that');
is(get('/projects/569/tasks/12', base => '/api/v2')->{uri}, '/api/v2/projects/569/tasks/12',
    'addresses are of the base that was asked');

# What the page says is enough to start a run.
my $answer = api('POST', $task->{runUri}, base => '', json => JSON::PP->new->utf8->encode($task->{example}));
is($answer->status, 202, 'the example is accepted at the address that the task gives');
is(run_end($answer->json->{pid})->{status}, 'completed', 'and does well');

is_deeply(get('/project/569'), get('/projects/569'), 'the singular path of a project');
is_deeply(get('/project/569/task/13'), get('/projects/569/tasks/13'), 'and of a task');

# ---- runs of a task ----

install('710', qq({"id": "710", "tasks": {"cat": {"concurrency": 1, $cat}, "long": {"concurrency": 1, "flows":
    [{"actions": [{"action": "wait", "seconds": 300}]}]}, "fails": {"flows": [{"actions": [{"action": "exec",
    "command": ["false"]}]}]}}}));
is_deeply(get('/projects/710/tasks/cat')->{lastRuns}, [], 'no runs at first');
my @pids = map { post_run('cat', qq("$_"), project => '710') } 1 .. 12;
run_end($_) for @pids;
my $cat_task = get('/projects/710/tasks/cat');
is_deeply($cat_task->{latest}, {runs => 12, completed => 12, error => 0, interrupted => 0}, 'outcomes are counted');
is_deeply([map { $_->{pid} } @{$cat_task->{lastRuns}}], [(reverse @pids)[0 .. 9]], 'the last ten are shown');
ok(!(grep { exists $_->{result} || exists $_->{actions} } @{$cat_task->{lastRuns}}), 'without what came of them');
is_deeply(get('/projects/710/tasks/cat', other => 1)->{lastRuns}, [], 'another vhost has its own');
run_end(post_run('fails', '{}', project => '710'));

my @long = map { post_run('long', '{}', project => '710') } 1 .. 3;
wait_for('one to start', 10, sub { get('/projects/710/tasks/long')->{underWay}{running} });
is_deeply(get('/projects/710/tasks/long')->{underWay}, {submitted => 2, running => 1}, 'those under way are counted');
api('POST', "/interrupt/$_") for reverse @long;
run_end($_) for @long;
my $long = get('/projects/710/tasks/long');
is_deeply($long->{underWay}, {submitted => 0, running => 0}, 'and then none is');
is_deeply($long->{latest}, {runs => 3, completed => 0, error => 0, interrupted => 3}, 'all were interrupted');
is(get('/projects/710/tasks/fails')->{latest}{error}, 1, 'one that failed is counted');

# ---- entity tags ----

for my $path ('/projects', '/projects/569', '/projects/710/tasks/cat') {
    my $etag = api('GET', $path)->header('ETag');
    rows(
        ["$path: not modified", ['GET', $path, headers => {'If-None-Match' => $etag}], 304, empty => 1,
            headers => {'ETag' => $etag}],
        ["$path: another tag", ['GET', $path, headers => {'If-None-Match' => '"x"'}], 200,
            headers => {'ETag' => $etag}],
    );
}
my $etag = api('GET', '/projects/710/tasks/cat')->header('ETag');
run_end(post_run('cat', '1', project => '710'));
rows(['a new run changes the tag', ['GET', '/projects/710/tasks/cat', headers => {'If-None-Match' => $etag}], 200]);

# ---- who may see what ----

rows(
    ['alice sees what is hers', ['GET', '/projects/601'], 200],
    ['bob does not', ['GET', '/projects/601', user => 'bob'], 404, problem => 'unknown-project'],
    ['nor by the singular path', ['GET', '/project/601', user => 'bob'], 404, problem => 'unknown-project'],
    ['nor its tasks by that', ['GET', '/project/601/task/echo', user => 'bob'], 404, problem => 'unknown-task'],
    # This path httpd's own configuration refuses, as it does the POST below it.
    ['nor its tasks', ['GET', '/projects/601/tasks/echo', user => 'bob'], 401, problem => 'unauthorized'],
);
for my $pair (['/project/601', '/project/999'], ['/project/601/task/echo', '/project/601/task/none'],
    ['/project/601/task/echo', '/project/999/task/echo'])
{
    my ($refused, $unknown) = map { api('GET', $_, user => 'bob') } @{$pair};
    is($refused->body, $unknown->body, "@{$pair}: refused and unknown look alike");
}

# ---- names that lead nowhere ----

for my $id ('999', '.', '..', '.hidden', 'a b', '..%2f569', '%2e%2e%2f569', '569%00', '569.json', "\xc3\xa9", '%ff',
    'x' x 65, '<script>', '%25')
{
    (my $sent = $id) =~ s/([^\x21-\x7e]|[<>])/sprintf '%%%02x', ord $1/ge;
    my ($project, $task_of) = map { api('GET', $_)->status } "/projects/$sent", "/projects/569/tasks/$sent";
    ok($project == 404 || $project == 400, "$id is no project: $project");
    ok($task_of == 404 || $task_of == 400, "$id is no task: $task_of");
}

# ---- what a project keeps to itself ----

my $hunter = '"connectors": {"db": {"type": "sql", "driver": "sqlite3", "params": "/srv/hunter1.db",
    "passwordEnv": "HUNTER2"}, "web": {"type": "rest", "url": "http://hunter3.example/", "auth": "basic",
    "user": "hunter4", "passwordFile": "/srv/hunter5", "headers": {"X-Key": "hunter6"}}}';
install('711', qq({"id": "711", "name": "Secrets", $hunter, "tasks": {"t": {"flows": [{"actions": [
    {"action": "exec", "command": ["/opt/hunter7", "hunter8"], "env": {"HUNTER9": "hunter10"}},
    {"action": "sql", "connector": "db", "sql": "DELETE FROM hunter11"},
    {"action": "rest", "connector": "web", "path": "/hunter12/{{id}}", "headers": {"X": "hunter13"},
     "query": {"q": "{{name}}"}}]}]}}}));
for my $path ('/projects?limit=500', '/projects/711', '/projects/711/tasks/t') {
    my $body = api('GET', $path)->body;
    unlike($body, qr/hunter/i, "$path shows no secret");
    unlike($body, qr{\Q$folder\E|/srv|/opt}, "$path shows no path");
}
is_deeply(get('/projects/711/tasks/t')->{parameters}, [{path => 'id'}, {path => 'name'}],
    'and yet tells what the body is to have');

# ---- files that break ----

my $client = client(keep => 1); # one connection, one process: each knows the versions that it has seen
my $look = sub { $client->request('GET', "$base$_[0]") };
install('712', qq({"id": "712", "name": "Good", "tasks": {"t": {$cat}}}));
is($look->('/projects/712')->json->{name}, 'Good', 'a good file');
install('712', '{"id": "712", "hunter": ');
my $broken = $look->('/projects/712')->json;
is($broken->{broken}, JSON::PP::true, 'a broken version is told of');
like($broken->{detail}, qr/broken, and an earlier version is in force/, 'in words');
is_deeply([map { $_->{taskId} } @{$broken->{tasks}}], ['t'], 'and the last good one is shown');
unlike($look->('/projects/712')->body, qr/hunter|\.json|\Q$folder\E/, 'without what the file says, or where it is');
is($look->('/projects/712/tasks/t')->json->{project}{broken}, JSON::PP::true, 'its tasks tell of it too');
my ($listed) = grep { $_->{projectId} eq '712' } @{$look->('/projects?limit=500')->json->{projects}};
is($listed->{broken}, JSON::PP::true, 'and so does the list');
is($listed->{name}, 'Good', 'with the good one\'s name');
install('712', qq({"id": "712", "name": "Mended", "tasks": {"t": {$cat}}}));
is($look->('/projects/712')->json->{broken}, undef, 'a file that is mended');

install('713', '{');
$broken = get('/projects/713');
is_deeply([sort keys %{$broken}], [qw(broken detail projectId tasks uri)], 'a file that never was good');
is_deeply($broken->{tasks}, [], 'has no tasks');
rows(['and a task of it is an error', ['GET', '/projects/713/tasks/t'], 500, problem => 'invalid-project']);
install('714', '{"id": "714", "tasks": {}}');
rows(['a project without tasks', ['GET', '/projects/714'], 404, problem => 'unknown-project']);
my %seen = map { $_ => 1 } ids(500);
ok($seen{713} && !$seen{714}, 'the list has what is broken, and not what has no task');

# ---- many ----

install(sprintf('many-%03d', $_), sprintf '{"id": "many-%03d", "tasks": {"t": {%s}}}', $_, $cat) for 1 .. 120;
my @many = grep {/^many-/} ids(50);
is_deeply(\@many, [map { sprintf 'many-%03d', $_ } 1 .. 120], 'many are listed page by page');
is(scalar @{get('/projects')->{projects}}, 50, 'a page has 50 unless it is said otherwise');

unlink @made;
rows(['a file that is gone', ['GET', '/projects/711'], 404, problem => 'unknown-project']);

done(
    qr/AH01631: user bob: authorization failure/,
    qr/\[dbsync_wf:(?:error|warn)\].*WF020[23]: .*71[23]\.json/,
);

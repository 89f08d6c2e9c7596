# SPDX-License-Identifier: Apache-2.0
package WfBench;

# What the measurements of scripts/bench share: an httpd to measure, the load, medians, the table.
#
# A measurement is a script in this folder that is called in a running test server (whose modules and
# programs it uses) with the number of rounds, and prints a line of JSON for each row of the table.
use strict;
use warnings FATAL => 'all';
use parent 'Exporter';
use Digest::SHA qw(sha1_base64);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use WfConfig qw(server_var);
use WfHttpd;

our @EXPORT_OK = qw($BODY authorization bench_httpd load load_begin load_end median number_of percentile program
    row state wrk write_file);

# The example of DBSync's own page.
our $BODY = '{"name": "John Doe", "address": {"lineOne": "123 Main Street", "city": "Nashville", "state": "TN"}}';

my $PASSWORD = 'wonderland';

# One of the programs of this folder, as built.
sub program { return "$ENV{WF_BENCH}/$_[0]" }

# number_of(PROGRAM, ARGUMENT…): the first number that it prints. Dies where it fails.
sub number_of
{
    open my $in, '-|', @_ or die "@_: $!\n";
    my ($number) = split ' ', <$in> // '';
    close $in or die "@_ failed\n";
    return $number + 0;
}

# A file or folder of the measurement's own.
sub state { return server_var('t_state') . "/$_[0]" }

sub median { return percentile(50, @_) }

# percentile(99, NUMBERS)
sub percentile
{
    my ($of, @numbers) = @_;
    die "there is nothing to take a median of\n" if !@numbers;
    my @sorted = sort { $a <=> $b } @numbers;
    my $at = int($of / 100 * @sorted);
    return $sorted[$at < @sorted ? $at : $#sorted];
}

# bench_httpd(NAME, LINES, PROJECTS): an httpd of one child with 64 threads (event), with Basic
# authentication everywhere (SHA), a static file, and the handler that only parses. PROJECTS maps ids
# to project files' contents.
sub bench_httpd
{
    my ($name, $lines, $projects) = @_;
    my $httpd = WfHttpd->new($name);
    my $folder = $httpd->folder;
    mkdir "$folder/$_" or die "$folder/$_: $!\n" for qw(projects docs);
    write_file("$folder/users", 'alice:{SHA}' . sha1_base64($PASSWORD) . "=\n");
    for my $id (keys %{$projects}) {
        write_file("$folder/projects/$id.json", JSON::PP->new->encode({id => $id, %{$projects->{$id}}}));
    }
    my $auth = qq{AuthType Basic\nAuthName bench\nAuthUserFile "$folder/users"\nRequire valid-user\n};
    $httpd->configure(<<"END");
LoadModule wf_bench_module "$ENV{WF_BENCH}/.libs/mod_wf_bench.so"
LogLevel warn
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
MinSpareThreads 1
MaxSpareThreads 64
MaxKeepAliveRequests 0
DbsyncWfProjects "$folder/projects"
DbsyncWfQueueLimit 0
DbsyncWfCacheSize 64M
DocumentRoot "$folder/docs"
<Location "/static">
    $auth
</Location>
<Location "/parse">
    SetHandler wf-bench
    $auth
</Location>
$lines
END
    return $httpd;
}

# write_file(FILE, TEXT)
sub write_file
{
    my ($file, $text) = @_;
    open my $out, '>', $file or die "$file: $!\n";
    print {$out} $text;
    close $out or die "$file: $!\n";
    return;
}

# What alice's requests have as Authorization.
sub authorization { return 'Basic ' . encode_base64("alice:$PASSWORD", '') }

# wrk(HTTPD, METHOD, PATH, SECONDS, CONNECTIONS): requests a second. Dies where any is not answered
# 2xx.
sub wrk
{
    my ($httpd, $method, $path, $seconds, $connections) = @_;
    my $script = state('bench.lua');
    write_file($script, $method eq 'POST' ? <<"END" : '');
wrk.method = "POST"
wrk.body = '$BODY'
wrk.headers["Content-Type"] = "application/json"
END
    my $url = "http://127.0.0.1:$httpd->{port}$path";
    my $said = qx(wrk -t1 -c$connections -d$seconds -H 'Authorization: @{[authorization()]}' -s $script '$url' 2>&1);
    die "$method $path: $said\n" if $said =~ /Non-2xx|Socket errors/ || $? != 0;
    my ($rate) = $said =~ /Requests\/sec:\s+([\d.]+)/ or die "$method $path: $said\n";
    return $rate;
}

# load(PORT, METHOD, PATH, OPTIONS): what t/bench/load does with a request; gives its lines as arrays
# of due, answered, status and id. Options: connections, seconds, rate, most, body, after, lossy. Dies
# where any is not answered 2xx, unless it is lossy.
sub load { return load_end(load_begin(@_)) }

# The two halves of it; there can be one at a time.
sub load_begin
{
    my ($port, $method, $path, %option) = @_;
    my $body = $option{body} // $BODY;
    my ($request, $out) = (state('bench.request'), state('bench.answers'));
    write_file($request, join "\r\n", "$method $path HTTP/1.1", "Host: 127.0.0.1:$port",
        'Authorization: ' . authorization(),
        ($method eq 'POST' ? ('Content-Type: application/json', 'Content-Length: ' . length $body) : ()),
        '', $method eq 'POST' ? $body : '');
    my @arguments = ($port, $option{connections} // 32, $option{seconds} // 3600, $option{rate} // 0,
        $option{most} // 0, $request, $option{after} // '"pid":"', $out, $option{lossy} ? 'lossy' : ());
    open my $in, '-|', program('load'), @arguments or die "load: $!\n";
    return {in => $in, arguments => \@arguments, out => $out, lossy => $option{lossy}};
}

sub load_end
{
    my ($load) = @_;
    my ($good, $bad) = split ' ', readline($load->{in}) // '';
    close $load->{in} or die "load failed: @{$load->{arguments}}\n";
    die "load: $bad requests were refused\n" if $bad && !$load->{lossy};
    open my $answers, '<', $load->{out} or die "$load->{out}: $!\n";
    return map { [split] } <$answers>;
}

# Prints a row of the table: what is measured, its value, what it is measured against, and the goal.
sub row
{
    my (%row) = @_;
    print JSON::PP->new->canonical->encode(\%row), "\n";
    return;
}

1;

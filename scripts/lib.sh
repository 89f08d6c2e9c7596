# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What scripts/quickstart and scripts/check share: packages, the unprivileged user, the tree's copy,
# the build, ending what was started. Sourced, by bash, under set -eu.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }

title() { printf '\n== %s\n' "$*"; }

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

am_root() { [ "$(id -u)" -eq 0 ]; }

# The packages, of those named, that dpkg does not have.
packages_missing() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            printf '%s ' "$package"
    done
}

# What building and serving needs. apache2-bin rather than apache2: it starts no service.
# shellcheck disable=SC2034 # for those who source this
packages_to_build=(
    gcc libc6-dev make autoconf automake libtool pkg-config curl perl
    apache2-bin apache2-dev apache2-utils libapr1-dev libaprutil1-dev libjansson-dev libdb5.3-dev
    libcurl4-openssl-dev libpcre2-dev nettle-dev
)

# Databases: the client libraries that the SQL connector is built with, and apr_dbd's drivers.
packages_to_build+=(
    libsqlite3-dev libaprutil1-dbd-sqlite3 libpq-dev libaprutil1-dbd-pgsql libmariadb-dev
    libaprutil1-dbd-mysql
)

# What the tests need beside that.
# shellcheck disable=SC2034 # for those who source this
packages_to_test=(
    clang shellcheck libcmocka-dev libapache2-mod-perl2 libwww-perl db5.3-util valgrind libc6-dbg
    faketime util-linux bsdutils mount openssl python3-jsonschema mandoc
)

# npm, for newman. NodeSource's nodejs brings it, and Debian's npm cannot be installed beside that one.
command -v npm >/dev/null || packages_to_test+=(nodejs npm)

# The databases that tests start for themselves, and their client programs.
packages_to_test+=(sqlite3 postgresql mariadb-server-core mariadb-client-core odbc-postgresql
    libaprutil1-dbd-odbc)

# The browser that tests drive.
packages_to_test+=(chromium chromium-driver)

# What scripts/bench needs beside that.
# shellcheck disable=SC2034 # for those who source this
packages_to_bench=(wrk)

# What the measurement beside peers needs beside that. Redis' server is a program of redis-tools; that
# package, unlike redis-server, starts no service.
# shellcheck disable=SC2034 # for those who source this
packages_to_peers=(postgresql redis-tools starman libgearman-client-perl)
command -v npm >/dev/null || packages_to_peers+=(nodejs npm)

# What scripts/fuzz needs beside what building does; libclang-rt-dev has libFuzzer.
# shellcheck disable=SC2034 # for those who source this
packages_to_fuzz=(clang libclang-rt-dev)

# Installs what is missing, and does nothing at all where nothing is.
packages_install() {
    local missing sudo=()
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "There is no apt-get here: have these, by their Debian names, installed: $*"
        return 0
    fi
    read -ra missing <<<"$(packages_missing "$@")"
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! am_root; then
        command -v sudo >/dev/null ||
            fail "packages are missing, and there is neither root nor sudo to install them. As root, run:
  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
        sudo=(sudo)
    fi
    title "Installing ${missing[*]}"
    "${sudo[@]}" apt-get update -q || say "apt-get update failed; trying with the lists at hand"
    clusters_forbid "${missing[@]}"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}" ||
        fail "apt-get could not install: ${missing[*]}"
    clusters_allow
}

# Debian's package postgresql would make and start a server of its own, which no test needs.
clusters=/etc/postgresql-common/createcluster.d/dbsync_wf.conf

clusters_forbid() {
    [[ " $* " == *" postgresql "* ]] || return 0
    "${sudo[@]}" mkdir -p "${clusters%/*}"
    printf 'create_main_cluster = false\n' | "${sudo[@]}" tee "$clusters" >/dev/null
}

clusters_allow() { "${sudo[@]}" rm -f "$clusters"; }

# Where programs are kept that were unpacked.
tools_folder() {
    if am_root; then
        printf /var/cache/dbsync_wf/tools
    else
        printf '%s' "${XDG_CACHE_HOME:-$HOME/.cache}/dbsync_wf/tools"
    fi
}

# program_unpack PROGRAM PACKAGE: sets `program` to the machine's, or to the one of that Debian package,
# which is kept among the caches: packages are unpacked that would start a service if they were
# installed. Fails where there is neither.
program_unpack() {
    local name=$1 package=$2 tools work
    tools=$(tools_folder)
    program=$(command -v "$name") || program=$tools/$name
    [ ! -x "$program" ] || return 0
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        say "There is no apt-get here: have $name (of $package) in PATH"
        return 1
    fi
    title "Unpacking $name of $package"
    mkdir -p "$tools"
    work=$(mktemp -d "$tools/XXXXXX")
    # apt-get downloads as a user of its own, who must be let in.
    if am_root && id _apt >/dev/null 2>&1; then
        chown _apt "$work"
    fi
    (cd "$work" && apt-get download -q "$package" &&
        dpkg-deb --fsys-tarfile ./"$package"_*.deb | tar -xf - --wildcards "./usr/*bin/$name" &&
        mv usr/*bin/"$name" "$program") ||
        fail "$name could not be unpacked"
    rm -rf -- "$work"
}

# Exports WF_PROMTOOL, Prometheus' own tool. Where it cannot be had t/api/metrics.t does without.
promtool_fetch() {
    program_unpack promtool prometheus || true
    export WF_PROMTOOL=$program
}

# What a package depends on, without itself.
dependencies_of() {
    apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances "$1" | sed -n 's/^  Depends: \([a-z].*\)/\1/p'
}

# What the measurement beside peers starts, exported for it.
peers_fetch() {
    local libraries=()
    packages_install "${packages_to_peers[@]}"
    if ! command -v gearmand >/dev/null && command -v apt-cache >/dev/null; then
        mapfile -t libraries < <(dependencies_of gearman-job-server)
        packages_install "${libraries[@]}"
    fi
    program_unpack webhook webhook || fail "webhook is missing"
    export WF_WEBHOOK=$program
    program_unpack gearmand gearman-job-server || fail "gearmand is missing"
    export WF_GEARMAND=$program
    redis_find
}

# Redis' server is the program redis-check-rdb of redis-tools under another name; the package
# redis-server has but the name, and starts a service.
redis_find() {
    WF_REDIS=$(command -v redis-server) || WF_REDIS=$(tools_folder)/redis-server
    export WF_REDIS
    [ -x "$WF_REDIS" ] || ln -sf "$(command -v redis-check-rdb)" "$WF_REDIS"
}

# npm_install PACKAGE@VERSION…: Debian has no packages of what some tests and measurements run: npm gets
# it from where the machine's npm gets its packages, and puts it into a folder of ours.
npm_install() {
    if ! timeout 300 npm install --prefix "$folder/npm" --no-save --no-audit --no-fund \
        --no-update-notifier "$@" >"$folder/said" 2>&1 </dev/null; then
        cat "$folder/said"
        fail "npm cannot install $*"
    fi
}

# Who builds and serves where root started the script: httpd never runs as root here.
unprivileged_user() {
    local user
    for user in www-data nobody; do
        if id "$user" >/dev/null 2>&1; then
            printf '%s' "$user"
            return 0
        fi
    done
    fail "there is neither a user www-data nor a user nobody; run this as an ordinary user"
}

# Sets `runas`, what to put before a command for it to have USER's rights alone; nothing where that
# is who runs this.
set_runas() {
    local user=$1 home=$2
    # shellcheck disable=SC2034 # for those who source this
    runas=(env)
    # shellcheck disable=SC2034
    ! am_root || runas=(setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups
        env HOME="$home" USER="$user" LOGNAME="$user")
}

# The tree's files, relative to $top, one a line: what git would commit, or all without git.
tree_files() {
    local files file
    files=$(cd "$top" && git -c safe.directory='*' ls-files -co --exclude-standard 2>/dev/null) ||
        files=
    [ -n "$files" ] ||
        files=$(cd "$top" && find . -name .git -prune -o \( -type f -o -type l \) -printf '%P\n')
    while IFS= read -r file; do
        if [ -e "$top/$file" ] || [ -L "$top/$file" ]; then
            printf '%s\n' "$file"
        fi
    done <<<"$files" | LC_ALL=C sort -u
}

# tree_copy DIR: copies the tree's files into a folder that exists; they belong to who runs this.
tree_copy() {
    tree_files | tar -C "$top" --no-recursion -T - -cf - | tar -C "$1" --no-same-owner -xf -
}

# A text that changes when any file of the tree does.
tree_stamp() {
    tree_files | tar -C "$top" --no-recursion -T - --mtime=@0 --owner=0 --group=0 --numeric-owner \
        -cf - | sha256sum | cut -d' ' -f1
}

# build SOURCE FOLDER OPTION…: configures and makes out of tree; FOLDER/build.log says what was said.
build() {
    local source=$1 folder=$2
    shift 2
    mkdir -p "$folder"
    if ! (
        cd "$source" && { [ -x configure ] || autoreconf -fi; } &&
            cd "$folder" && "$source/configure" "$@" && make -j"$(nproc)"
    ) >"$folder/build.log" 2>&1; then
        tail -n 40 "$folder/build.log" >&2
        fail "the build failed; the whole log is in $folder/build.log"
    fi
}

# pids_of TEXT: the processes that have TEXT, a path that is nobody else's, in their command line.
pids_of() {
    local entry
    for entry in /proc/[0-9]*; do
        [ "${entry#/proc/}" = $$ ] && continue
        if tr '\0' ' ' <"$entry/cmdline" 2>/dev/null | grep -qF -- "$1"; then
            printf '%s\n' "${entry#/proc/}"
        fi
    done 2>/dev/null
}

# Removes the region files on /dev/shm of every state directory under a folder, whose keepers are gone.
regions_remove() {
    local link
    find "$1" -name env -type l 2>/dev/null | while IFS= read -r link; do
        link=$(readlink "$link")
        [[ $link =~ ^/dev/shm/dbsync_wf-[0-9]+-[0-9a-f]+$ ]] && rm -rf -- "$link" "$link.new"
    done
    return 0
}

# wait_until SECONDS COMMAND…: runs the command until it succeeds; fails when the time is up.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    command -v "$1" >/dev/null || fail "wait_until: there is no command $1"
    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}

# ---- a copy of the tree, in which an unprivileged user works, and which is gone afterwards ----

# in_a_copy SCRIPT ARGUMENT…: runs `scripts/SCRIPT inside FOLDER ARGUMENT…` there; FOLDER/src is the copy.
in_a_copy() {
    local script=$1 user status=0
    shift
    user=$(id -un)
    ! am_root || user=$(unprivileged_user)
    folder=$(mktemp -d "/tmp/dbsync_wf-$script.XXXXXX")
    group=
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    mkdir "$folder/src"
    tree_copy "$folder/src"
    ! am_root || chown -R "$user:$(id -g "$user")" "$folder"
    cd "$folder/src" || exit
    set_runas "$user" "$folder"
    # A session of its own, so that all that it starts can be ended by its group.
    setsid "${runas[@]}" "$folder/src/scripts/$script" inside "$folder" "$@" </dev/null &
    group=$!
    wait "$group" || status=$?
    return "$status"
}

# Ends what is left, by pid, and removes the folder, but for what a script's keep_output takes out of it.
clean_up() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    [ "$status" -eq 0 ] || tail_of_error_log
    end_all TERM
    wait_until 15 nothing_is_left || end_all KILL
    cd /
    ! declare -F keep_output >/dev/null || keep_output
    regions_remove "$folder"
    rm -rf -- "$folder"
    exit "$status"
}

# What was started here is of this group, or has the folder's name in its command line (httpd).
end_all() {
    local pid
    [ -z "$group" ] || kill "-$1" -- "-$group" 2>/dev/null || true
    for pid in $(pids_of "$folder"); do
        kill "-$1" "$pid" 2>/dev/null || true
    done
}

nothing_is_left() {
    [ -z "$(pids_of "$folder")" ] && { [ -z "$group" ] || ! kill -0 -- "-$group" 2>/dev/null; }
}

tail_of_error_log() {
    local log=$folder/src/t/logs/error_log
    if [ -s "$log" ]; then
        title "The end of the test server's error log"
        grep -vE "^\[[^]]*\] \[[^]]*:(debug|trace[0-9])\]" "$log" | tail -n 60
    fi
}

# enter_copy FOLDER: what `inside` begins with.
enter_copy() {
    folder=$1
    cd "$top" || exit
    export LC_ALL=C.UTF-8 TMPDIR=$folder
    PATH=$PATH:/usr/sbin:/sbin
}

# test_server_start DEFINE [BUILD [HTTPD]]: the tests' server, under that MPM, with the module of that
# build ("gcc"); HTTPD is a program to start instead of the machine's own.
test_server_start() {
    export WF_MODULE=$folder/${2:-gcc}/.libs/mod_dbsync_wf.so
    regions_remove t/logs
    rm -rf t/logs t/state t/conf/apache_test_config.pm t/conf/httpd.conf
    quietly perl t/TEST.PL -configure -apxs "$(command -v apxs)" -httpd "${3:-$(httpd_binary)}" \
        -port select -defines "$1"
    quietly perl t/TEST.PL -start-httpd
}

# Stops it, and fails where a process of it does not end.
test_server_stop() {
    quietly perl t/TEST.PL -stop-httpd
    wait_until 20 test_server_is_gone ||
        fail "processes outlive the server: $(pids_of "$top/t/conf" | tr '\n' ' ')"
}

test_server_is_gone() { [ -z "$(pids_of "$top/t/conf")" ]; }

httpd_binary() {
    local name
    name=$(apxs -q SBINDIR)/$(apxs -q PROGNAME)
    [ -x "$name" ] || name=$(command -v apache2 || command -v httpd) || fail "httpd is missing"
    printf '%s' "$name"
}

# Shows what a command said only where it fails.
quietly() {
    local said=$folder/said
    if ! "$@" >"$said" 2>&1 </dev/null; then
        cat "$said"
        fail "this failed: $*"
    fi
}

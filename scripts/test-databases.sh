#!/usr/bin/env bash
# Private database servers for the tests: one MariaDB and one PostgreSQL, on free ports of
# 127.0.0.1, with passwords of their own and nothing that survives a power cut.
#
#   scripts/test-databases.sh start    starts what is not running, with empty databases
#   scripts/test-databases.sh env      prints the variables that the tests read; use it as
#                                      eval "$(scripts/test-databases.sh env)"
#   scripts/test-databases.sh stop     stops both and deletes their data
#
# Everything lies in target/test-servers. Started by root, the servers run as the users mysql
# and postgres; when these cannot reach that folder, one below ${TMPDIR:-/tmp} is used.

set -eu -o pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
    printf 'test-databases: %s\n' "$1" >&2
    exit 1
}

is_root() {
    [ "$(id -u)" -eq 0 ]
}

# As a server's user: the command must not depend on that user's shell.
as_user() { # user, command...
    local user=$1
    shift
    if is_root; then
        setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@"
    else
        "$@"
    fi
}

can_reach() { # user, folder
    as_user "$1" test -x "$2" 2>/dev/null
}

choose_folder() {
    local inside=$repository/target/test-servers
    mkdir -p "$repository/target"
    if ! is_root || { can_reach mysql "$repository/target" && can_reach postgres "$repository/target"; }; then
        folder=$inside
        return
    fi
    local mark
    mark=$(printf %s "$repository" | cksum | cut -d ' ' -f 1)
    folder=${TMPDIR:-/tmp}/crema-test-servers-$(id -u)-$mark
}

make_folder() {
    mkdir -p "$folder"
    { [ -O "$folder" ] && [ ! -L "$folder" ]; } || fail "$folder belongs to somebody else"
    chmod 755 "$folder"
}

find_programs() {
    local candidate
    mariadbd=
    for candidate in "$(command -v mariadbd || true)" /usr/sbin/mariadbd /usr/libexec/mariadbd; do
        if [ -x "$candidate" ]; then mariadbd=$candidate && break; fi
    done
    [ -n "$mariadbd" ] || fail 'mariadbd is not installed (Debian: mariadb-server)'
    postgres=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    if [ ! -x "$postgres/postgres" ]; then
        candidate=$(command -v postgres || true)
        [ -n "$candidate" ] || fail 'postgres is not installed (Debian: postgresql)'
        postgres=$(dirname "$candidate")
    fi
    if is_root; then
        for candidate in mysql postgres; do
            id "$candidate" >/dev/null 2>&1 || fail "there is no user $candidate to run a server as"
        done
    fi
}

random_password() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

free_port() { # first candidate
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        port=$((port + 1))
    done
    echo "$port"
}

# The process of a server of ours, if it runs: process numbers are used again by others.
pid_of() { # file with the process number, text in its command line
    local pid
    [ -r "$1" ] && pid=$(head -n 1 "$1" 2>/dev/null) && [ -n "$pid" ] || return 1
    case "$(ps -p "$pid" -o args= 2>/dev/null)" in
        *"$2"*) echo "$pid" ;;
        *) return 1 ;;
    esac
}

mariadb_pid() {
    pid_of "$folder/mariadb/data/mariadb.pid" "$folder/mariadb/data"
}

postgres_pid() {
    pid_of "$folder/postgres/data/postmaster.pid" "$folder/postgres/data"
}

save_env() { # folder, NAME=VALUE
    (umask 077 && echo "export $2" >"$1/env")
}

wait_for_end() { # process number
    local round
    for round in $(seq 300); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null || true
}

# ---------------------------------------------------------------- MariaDB

start_mariadb() {
    local home=$folder/mariadb password port round
    rm -rf "$home"
    mkdir -p "$home/data"
    password=$(random_password)
    port=$(free_port 43306)
    # The accounts that the installation makes have no password.
    cat >"$home/accounts.sql" <<SQL
DROP USER IF EXISTS ''@'localhost';
CREATE OR REPLACE USER 'root'@'localhost' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION;
CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
SQL
    chmod 600 "$home/accounts.sql"
    is_root && chown -R mysql "$home"
    (
        cd "$home"
        as_user mysql mariadb-install-db --no-defaults --datadir="$home/data" --skip-test-db \
            --auth-root-authentication-method=normal --skip-name-resolve >"$home/install.log" 2>&1
    ) || fail "MariaDB could not be installed: see $home/install.log"
    # The socket's name is relative to the data folder: absolute ones have a short limit.
    (
        cd "$home"
        as_user mysql setsid nohup "$mariadbd" --no-defaults --datadir="$home/data" \
            --socket=mariadb.sock --pid-file="$home/data/mariadb.pid" \
            --log-error="$home/error.log" --bind-address=127.0.0.1 --port="$port" \
            --skip-name-resolve --init-file="$home/accounts.sql" --skip-log-bin \
            --performance-schema=OFF --innodb-flush-log-at-trx-commit=0 \
            --innodb-flush-method=nosync --innodb-doublewrite=0 --innodb-buffer-pool-size=64M \
            --innodb-log-file-size=32M --max-connections=500 </dev/null >/dev/null 2>&1 &
    )
    for round in $(seq 600); do
        if mariadb-admin --no-defaults --protocol=tcp --host=127.0.0.1 --port="$port" \
            --user=root --password="$password" ping >/dev/null 2>&1; then
            save_env "$home" "CREMA_TEST_MARIADB='mysql://root:$password@127.0.0.1:$port'"
            return
        fi
        sleep 0.1
    done
    fail "MariaDB did not start: see $home/error.log"
}

# ---------------------------------------------------------------- PostgreSQL

start_postgres() {
    local home=$folder/postgres password port
    rm -rf "$home"
    mkdir -p "$home"
    password=$(random_password)
    port=$(free_port 45432)
    (umask 077 && echo "$password" >"$home/password")
    is_root && chown -R postgres "$home"
    (
        cd "$home"
        as_user postgres "$postgres/initdb" -D "$home/data" -U postgres --auth=scram-sha-256 \
            --pwfile="$home/password" --encoding=UTF8 --locale=C --no-sync >"$home/install.log" 2>&1
    ) || fail "PostgreSQL could not be installed: see $home/install.log"
    (
        cd "$home"
        as_user postgres "$postgres/pg_ctl" -D "$home/data" -w -t 60 -l "$home/server.log" -s start \
            -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off \
            -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 \
            -c shared_buffers=64MB -c deadlock_timeout=100ms" </dev/null >/dev/null 2>&1
    ) || fail "PostgreSQL did not start: see $home/server.log"
    save_env "$home" "CREMA_TEST_POSTGRES='postgres://postgres:$password@127.0.0.1:$port'"
}

# ---------------------------------------------------------------- commands

start() {
    make_folder
    exec 9>"$folder/lock"
    flock 9
    umask 022
    mariadb_pid >/dev/null || (exec 9>&- && start_mariadb)
    postgres_pid >/dev/null || (exec 9>&- && start_postgres)
}

stop() {
    local pid
    if pid=$(mariadb_pid); then
        kill -TERM "$pid" && wait_for_end "$pid"
    fi
    if pid=$(postgres_pid); then
        # Fast shutdown: does not wait for clients.
        kill -INT "$pid" && wait_for_end "$pid"
    fi
    rm -rf "$folder"
}

print_env() {
    if ! mariadb_pid >/dev/null || ! postgres_pid >/dev/null; then
        fail "not running: $0 start"
    fi
    cat "$folder/mariadb/env" "$folder/postgres/env"
}

case "${1:-}" in
    start)
        find_programs
        choose_folder
        start
        ;;
    stop)
        choose_folder
        stop
        ;;
    env)
        choose_folder
        print_env
        ;;
    *)
        sed -n '2,12s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
esac

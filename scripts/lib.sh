# What the scripts in this directory share: places, messages, small checks. Sourced, never run.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${MESHDNS_CACHE:-${XDG_CACHE_HOME:-${HOME:?set HOME or MESHDNS_CACHE}/.cache}/meshdns}
cd "$root"

# Everything meant for people goes to stderr: stdout is for what a script is asked for.
say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# need COMMAND HOW_TO_GET_IT
need() { have "$1" || die "$1 is not installed. $2"; }

# The directory where cargo leaves what it builds.
target_dir() {
    cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# stage NAME COMMAND...: runs it, and says what it was and how long it took.
stage() {
    local name=$1 begin=$SECONDS
    shift
    say "==> $name"
    "$@" || die "$name failed after $((SECONDS - begin)) s: $*"
    say "    $name: $((SECONDS - begin)) s"
}

# cargo_tool NAME VERSION: installs that version of a cargo subcommand into the cache and puts it on the path.
cargo_tool() {
    local home=$cache/tools/$1-$2
    [ -x "$home/bin/$1" ] || stage "install $1 $2" cargo install --quiet --locked --root "$home" "$1@$2"
    PATH=$home/bin:$PATH
}

# debian PACKAGE: installs a package of Debian or its kin.
debian() {
    have apt-get || die "$1 is not installed, and there is no apt-get to get it with."
    [ "$(id -u)" = 0 ] && sudo=() || sudo=(sudo)
    install_package() {
        "${sudo[@]}" apt-get update -qq &&
            "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >&2
    }
    stage "$1" install_package "$1"
}

#!/usr/bin/env bash
# Runs a demo: real clients between network namespaces, before and after policy, with a record for each request.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. eng/install.sh

usage() {
    cat <<'USAGE'
Usage: ./demo.sh [NAME] [--keep]
       ./demo.sh --list | --down | --help

Without a name: starwars. Prints command, expected, got for each step, then the flow records; exit code 0 when every step was as expected.
  --keep   leave the demo up and print commands to play with
  --down   take a kept (or interrupted) demo away
  --list   the demos there are
Needs root (network namespaces). Installs clang, libbpf-dev, iptables, iproute2 and what the demo runs when they are missing: curl and nginx (starwars), those and
openssl (tls), python3-grpcio (grpc).
USAGE
}

name=starwars keep="" down=""
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help) usage; exit 0 ;;
        --list) for d in demos/*/demo.sh; do d=${d%/demo.sh}; say "${d#demos/}"; done; exit 0 ;;
        --keep) keep=yes ;;
        --down) down=yes ;;
        -*) die "unknown option '$1' (see ./demo.sh --help)" ;;
        *) name="$1" ;;
    esac
    shift
done
[ -f "demos/$name/demo.sh" ] || die "no demo '$name'; ./demo.sh --list names them."
is_root || die "network namespaces need root: sudo ./demo.sh"

# Sourced demo files see DEMO (their folder), STATE (everything written goes there) and the functions below.
DEMO="$PWD/demos/$name" STATE="/run/postern-demo-$name"
PATH="$PATH:/usr/sbin:/sbin"
failed=0 rows=0

stage() {
    say ""
    say "== $1"
    printf '%-87s  %-33s  %-33s  %s\n' command expected got ok
}

row() { # row COMMAND EXPECTED GOT
    local ok=yes
    rows=$((rows + 1))
    [ "$2" = "$3" ] || { ok=NO; failed=$((failed + 1)); }
    printf '%-87s  %-33s  %-33s  %s\n' "$1" "$2" "$3" "$ok"
}

clean_up() {
    trap '' INT TERM
    demo_down
    rm -rf "$STATE"
}

# shellcheck source=demos/starwars/demo.sh
. "$DEMO/demo.sh"

if [ -n "$down" ]; then
    need iproute2 ip
    clean_up
    say "The demo $name is gone."
    exit 0
fi

demo_need
./build.sh
need_dotnet
if demo_is_up; then
    say "An earlier $name demo is still up: taking it away first."
    clean_up
fi

started=$SECONDS
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'clean_up' EXIT
rm -rf "$STATE"
mkdir -p "$STATE"

demo_up
demo_stages
demo_records
if [ -n "$keep" ]; then
    trap - EXIT
    demo_hints
fi
say ""
say "$((rows - failed)) of $rows steps as expected, in $((SECONDS - started)) s"
[ "$failed" = 0 ]

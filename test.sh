#!/usr/bin/env bash
# Builds and runs every test project of Proxy.sln. The last line is "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. eng/install.sh
. eng/leftovers.sh

usage() {
    cat <<'USAGE'
Usage: ./test.sh [--filter EXPRESSION]
Builds and runs every test project of Proxy.sln; the last line is "N passed, N failed, N skipped", the exit code tells.
  --filter EXPRESSION   only the tests that match, as 'dotnet test --filter' takes it, e.g. FullyQualifiedName~Policy
As root it installs what Debian 12 lacks (iptables, iproute2, procps, curl) and runs the tests in network namespaces too;
otherwise those are skipped. Needs the .NET 10 SDK.
USAGE
}

filter=()
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help) usage; exit 0 ;;
        --filter) [ $# -ge 2 ] || die "--filter wants an expression"; filter=(--filter "$2"); shift ;;
        *) die "unknown option '$1' (see ./test.sh --help)" ;;
    esac
    shift
done

need_dotnet
if is_root; then
    need iptables iptables iproute2 ip procps sysctl curl curl
else
    say "Not root: tests that need network namespaces or transparent sockets are skipped. For all of them: sudo ./test.sh"
fi
PATH="$PATH:/usr/sbin:/sbin"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
started=$SECONDS

say "Building"
dotnet build Proxy.sln -c Release -v quiet </dev/null >"$work/build.log" 2>&1 || {
    cat "$work/build.log"
    die "the build failed; the compiler's messages stand above."
}

network_state >"$work/before"
status=0
# One project after another: the namespace tests measure time-outs and must not compete with the rest.
dotnet test Proxy.sln -c Release --no-build -m:1 "${filter[@]}" --logger "console;verbosity=minimal" \
    --logger "trx;LogFilePrefix=result" --results-directory "$work/results" </dev/null || status=$?

# Each project writes one trx file. A skipped test is counted in total but not in executed.
read -r passed failed skipped < <(
    find "$work/results" -name '*.trx' -exec grep -ho '<Counters [^>]*' {} + 2>/dev/null | awk '
        function n(name) { return match($0, " " name "=\"[0-9]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : 0 }
        { passed += n("passed"); bad = n("total") - n("passed"); skip = n("total") - n("executed"); failed += bad - skip; skipped += skip }
        END { print passed + 0, failed + 0, skipped + 0 }'
)

problem=""
if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
    problem="a test run ended abnormally (exit code $status) without a failed test; its output stands above."
elif [ $((passed + failed)) = 0 ]; then
    problem="no test ran${filter[1]:+; the filter '${filter[1]}' matches none}."
fi
left=$(leftovers_since "$work/before")
if [ -n "$left" ]; then
    say "Left behind by the tests:"
    say "$left"
    problem="${problem:+$problem }a test left the above behind."
fi
say "Took $((SECONDS - started)) s"
# What is wrong without being a failed test counts as one, so that the last line never looks green when the run is not.
if [ -n "$problem" ]; then
    say "test.sh: $problem"
    failed=$((failed + 1))
fi
say "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]

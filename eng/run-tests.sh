#!/usr/bin/env bash
# The second half of ./test.sh: runs the built tests, sums the results, looks for leftovers. Arguments go to 'dotnet test'.
# With POSTERN_OWN_NETWORK=1 it is alone in a network and a mount namespace, which it first makes usable.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. eng/install.sh
. eng/leftovers.sh

if [ "${POSTERN_OWN_NETWORK:-}" = 1 ]; then
    ip link set lo up
    mkdir -p /run/netns
    mount -t tmpfs tmpfs /run/netns
    # Agents that tests kill leave their locks and rules there, under numbers that the kernel gives to other namespaces later.
    mkdir -p /run/postern
    mount -t tmpfs -o mode=755 tmpfs /run/postern
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
started=$SECONDS

network_state >"$work/before"
status=0
# One project after another: the namespace tests measure time-outs and must not compete with the rest.
dotnet test Proxy.sln -c Release --no-build -m:1 "$@" --logger "console;verbosity=minimal" \
    --logger "trx;LogFilePrefix=result" --results-directory "$work/results" || status=$?

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
    problem="no test ran${2:+; the filter $2 matches none}."
fi
left=$(leftovers_since "$work/before")
if [ -n "$left" ]; then
    say "Left behind by the tests:"
    say "$left"
    problem="${problem:+$problem }a test left the above behind."
fi
say "The tests took $((SECONDS - started)) s"
# What is wrong without being a failed test counts as one, so that the last line never looks green when the run is not.
if [ -n "$problem" ]; then
    say "test.sh: $problem"
    failed=$((failed + 1))
fi
say "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]

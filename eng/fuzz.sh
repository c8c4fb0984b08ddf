#!/usr/bin/env bash
# Long runs of the fuzz and property tests: new seeds until the time is over. What breaks is kept as bytes and with its seed.
#   eng/fuzz.sh                    lists the targets
#   eng/fuzz.sh TARGET [MINUTES]   runs one (10 minutes unless told), or all of them one after another
# POSTERN_FUZZ_NO_BUILD=1 takes the tests as they were built. POSTERN_FUZZ_FINDINGS names the folder of findings; else it is fuzz-findings beside the checkout's files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. eng/install.sh

# Target, test project, tests that share the target's time.
targets() {
    cat <<'LIST'
http1-requests Proxy 2
http1-responses Proxy 1
http1-chunks Proxy 3
client-hello Filters 2
paths Proxy 4
headers Proxy 1
hpack Proxy 5
http2-frames Proxy 2
LIST
}

target=${1:-}
minutes=${2:-10}
if [ -z "$target" ]; then
    say "Targets: $(targets | cut -d' ' -f1 | tr '\n' ' ')all"
    exit 0
fi
[[ "$minutes" =~ ^[0-9]+$ ]] || die "'$minutes' is no number of minutes."
[ "$target" = all ] || targets | grep -q "^$target " || die "there is no target '$target'; eng/fuzz.sh alone lists them."
need_dotnet

findings=${POSTERN_FUZZ_FINDINGS:-$PWD/fuzz-findings}
bad=0
while read -r name project tests; do
    [ "$target" = all ] || [ "$target" = "$name" ] || continue
    [ "${POSTERN_FUZZ_NO_BUILD:-}" = 1 ] || dotnet build "tests/$project" -c Release -v quiet
    folder="$findings/$name"
    mkdir -p "$folder"
    started=$SECONDS
    seconds=$((minutes * 60 / tests))
    say "$name: $tests tests of $seconds s each"
    # One class after another: the tests of a target share its time, not the processors.
    if ! POSTERN_FUZZ_SECONDS=$seconds POSTERN_FUZZ_FINDINGS="$folder" \
        dotnet test "tests/$project" -c Release --no-build --filter "Fuzz=$name" -v quiet -- xUnit.MaxParallelThreads=1; then
        bad=$((bad + 1))
        say "$name: findings are in $folder"
    fi
    say "$name: ran for $((SECONDS - started)) s"
done < <(targets)
[ "$bad" = 0 ] || die "$bad targets have findings."

#!/usr/bin/env bash
# Publishes out/postern and out/postern-agent: framework-dependent, ready-to-run compiled.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. eng/install.sh

case "${1:-}" in
    "") ;;
    -h | --help)
        cat <<'USAGE'
Usage: ./build.sh
Publishes the executables into out/ (out/postern, out/postern-agent). Needs the .NET 10 SDK, clang
and libbpf-dev; as root it installs the last two where they are missing. Only what changed is compiled again.
USAGE
        exit 0
        ;;
    *) die "unknown option '$1' (see ./build.sh --help)" ;;
esac

need_dotnet
need_bpf
started=$SECONDS
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# publish PROJECT: quiet when it works; the whole compiler output when it does not.
publish() {
    dotnet publish "$1" -c Release -r "$(rid)" --self-contained false -p:PublishReadyToRun=true -o out -v quiet </dev/null >"$log" 2>&1 || {
        cat "$log" >&2
        die "publishing $1 failed; the compiler's messages stand above."
    }
}

publish src/Proxy
publish src/Agent
[ -x out/postern ] || die "the build ended without out/postern; look into src/Proxy/*.csproj (OutputType, AssemblyName)."
[ -x out/postern-agent ] || die "the build ended without out/postern-agent; look into src/Agent/*.csproj (OutputType, AssemblyName)."
say "Built out/postern and out/postern-agent in $((SECONDS - started)) s"

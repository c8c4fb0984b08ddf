#!/usr/bin/env bash
# Builds and runs every test project of Proxy.sln. The last line is "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. eng/install.sh

usage() {
    cat <<'USAGE'
Usage: ./test.sh [--filter EXPRESSION]
Builds and runs every test project of Proxy.sln; the last line is "N passed, N failed, N skipped", the exit code tells.
  --filter EXPRESSION   only the tests that match, as 'dotnet test --filter' takes it, e.g. FullyQualifiedName~Policy
As root it installs what Debian 12 lacks (clang, libbpf-dev, iptables, iproute2, procps, curl, openssl, nginx, nodejs, nghttp2-client, nghttp2-server, python3-grpcio, python3-websockets) and runs the tests in network namespaces too;
otherwise those are skipped. Needs the .NET 10 SDK, clang and libbpf-dev.
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
need_bpf
if is_root; then
    need iptables iptables iproute2 ip procps sysctl curl curl openssl openssl
    # Clients and servers that are not ours, for tests/Netns. A node of another origin than Debian's does as well.
    need nginx nginx nodejs node nghttp2-client nghttp nghttp2-server nghttpd \
        python3-grpcio /usr/lib/python3/dist-packages/grpc python3-websockets /usr/lib/python3/dist-packages/websockets
    need_grpc_js
else
    say "Not root: tests that need network namespaces or transparent sockets are skipped. For all of them: sudo ./test.sh"
fi
PATH="$PATH:/usr/sbin:/sbin"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
say "Building"
dotnet build Proxy.sln -c Release -v quiet </dev/null >"$log" 2>&1 || {
    cat "$log"
    die "the build failed; the compiler's messages stand above."
}

# As root the tests get a network of their own: they cannot touch the host's, other users of the machine cannot disturb them,
# and what they leave behind is seen for certain.
own=()
if is_root && unshare --net --mount --propagation private true 2>/dev/null; then
    own=(unshare --net --mount --propagation private env POSTERN_OWN_NETWORK=1)
fi
"${own[@]}" eng/run-tests.sh "${filter[@]}" </dev/null

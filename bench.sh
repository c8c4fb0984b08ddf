#!/usr/bin/env bash
# Runs one bench. Without a name it lists them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. eng/install.sh

list() {
    cat <<'LIST'
Usage: ./bench.sh NAME [OPTIONS]

  http1    CPU per request: HTTP/1.1 keep-alive, 1 KB answers, 50 policy rules and a record per request, against HAProxy and nginx, one core
  h2       CPU per request: HTTP/2 without TLS on both sides, 32 requests at a time and one, against HAProxy and nghttpx
  grpc     CPU per call: unary calls over HTTP/2 with trailers, against HAProxy and nghttpx
  tls      TLS 1.3 terminated: CPU per request on kept connections, CPU per new connection with a full handshake and resumed, against HAProxy and nginx
  idle     10,000 idle keep-alive connections held: resident memory, against HAProxy and nginx
  bulk     1 GiB up and down: memory before and at its peak, CPU per GiB, against HAProxy and nginx
  verdict  cost of a policy verdict with 10, 1,000 and 100,000 rules and identities
  xds      policies of 10 and 10,000 endpoints over gRPC: first load, one endpoint changed (time until in force, CPU), 1,000 changes under load
  steering TCP_RR and TCP_CRR, CPU per transaction: no steering, eBPF and iptables with 10 and with 5,000 redirect rules, side by side

Options of http1, h2, grpc, tls, idle and bulk:
  --engines LIST   which proxies, e.g. haproxy,nginx (default postern,haproxy,nginx; h2 and grpc: postern,haproxy,nghttpx)
Options of http1, h2, grpc and tls:
  --rounds N (3)  --seconds N (5)  --warmup N (20)  --connections N (64; h2 and grpc: 16, and 64 where a connection has one request at a time)
Option of http1:
  --match exact|regex (exact: how HAProxy and nginx compare paths)
Options of h2 and grpc:
  --streams LIST   requests of a connection at a time (h2: 32,1; grpc: 32)
Options of tls:
  --kinds LIST (keepalive,full,resumed,full-local,resumed-local; local: the proxy itself answers)  --handshakes N (16): how many connect at a time
Option of idle:
  --connections N (10000)  --hold SECONDS (10)
Option of bulk:
  --mib N (1024)
Options of xds:
  --sizes LIST (10,10000)  --forms LIST (delta,sotw)  --updates N (300)  --loaded-updates N (1000)
Options of steering:
  --variants LIST (none,ebpf-10,ebpf-5000,iptables-10,iptables-5000; any number of rules)  --rounds N (60)  --slice-ms N (200)  --connections N (16)

Besides its table a bench prints machine-readable lines "ratio NAME PEER VALUE": Postern's cost over the peer's, below 1 is better; http1, h2, grpc and tls
also a line "claim ...: held" or "not held" per target. --seconds and --warmup: warm up for at least 20 s, the JIT needs them.
Exit code 3: the run says nothing, e.g. because the load generator was the limit. Needs two cores; installs what Debian 12 lacks.
LIST
}

case "${1:-}" in
    "" | -h | --help) list; exit 0 ;;
esac
name="$1"
shift
PATH="$PATH:/usr/sbin:/sbin"

case "$name" in
    verdict)
        need_dotnet
        [ -d tests/Bench/Verdict ] || die "tests/Bench/Verdict is not here, so there is nothing to run."
        exec dotnet run -c Release --project tests/Bench/Verdict -- "$@"
        ;;
    http1 | h2 | grpc | tls | idle | bulk)
        need python3 python3 gcc gcc libc6-dev gcc haproxy haproxy nginx nginx wrk wrk curl curl util-linux taskset
        case "$name" in
            h2 | grpc) need nghttp2-client h2load nghttp2-server nghttpd nghttp2-proxy nghttpx ;;
            tls) need openssl openssl libssl-dev /usr/include/openssl/ssl.h ;;
        esac
        case " $* " in
            *" --engines "*postern* | *" --engines="*postern*) build=yes ;;
            *" --engines"*) build="" ;;
            *) build=yes ;;
        esac
        if [ -n "$build" ]; then
            ./build.sh
            need_dotnet
        fi
        exec python3 tests/Bench/main.py "$name" "$@"
        ;;
    xds)
        need python3 python3 gcc gcc libc6-dev gcc wrk wrk util-linux taskset python3-grpcio /usr/lib/python3/dist-packages/grpc
        ./build.sh
        need_dotnet
        # Debian's own: python3-grpcio is for no other.
        exec /usr/bin/python3 tests/Bench/main.py xds "$@"
        ;;
    steering)
        need python3 python3 gcc gcc libc6-dev gcc linux-libc-dev /usr/include/linux/bpf.h iproute2 ip iptables iptables util-linux nsenter procps sysctl \
            clang clang libbpf-dev /usr/include/bpf/bpf_helpers.h
        is_root || die "steering needs root: network namespaces, iptables, BPF. Run: sudo ./bench.sh steering"
        need_dotnet
        dotnet build tests/Bench/Steering -c Release -v quiet -nologo
        # Names of network namespaces and the BPF file system are this run's own, and go with it however it ends.
        exec unshare --mount --propagation private bash -c '
            mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec python3 tests/Bench/main.py steering "$@"' bench.sh "$@"
        ;;
    *) list >&2; die "no bench '$name'" ;;
esac

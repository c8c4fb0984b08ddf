"""Command line of the end-to-end benches; ./bench.sh installs what they need and calls this."""
import argparse
import signal
import sys

import bulk
import h2
import http1
import idle
import steering
import tls
import xds
from process import BenchError, Unusable


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def counts(text):
    return [positive(count) for count in text.split(",")]


def kinds(text):
    names = text.split(",")
    unknown = [name for name in names if name not in tls.KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no kind {', '.join(unknown)}; there are {', '.join(tls.KINDS)}")
    return names


def parse():
    parser = argparse.ArgumentParser(prog="bench.sh")
    benches = parser.add_subparsers(dest="bench", required=True)
    for name in ("http1", "h2", "grpc", "tls", "idle", "bulk", "xds", "steering"):
        bench = benches.add_parser(name)
        if name == "xds":
            bench.add_argument("--sizes", type=counts, default=[10, 10000])
            bench.add_argument("--forms", type=lambda text: text.split(","), default=["delta", "sotw"])
            bench.add_argument("--updates", type=positive, default=300)
            bench.add_argument("--loaded-updates", type=positive, default=1000)
            continue
        if name == "steering":
            bench.add_argument("--variants", type=lambda text: text.split(","), default=steering.VARIANTS)
            bench.add_argument("--rounds", type=positive, default=60)
            bench.add_argument("--slice-ms", type=positive, default=200)
            bench.add_argument("--connections", type=positive, default=16)
            continue
        bench.add_argument("--engines", type=lambda text: text.split(","), default=["postern", "haproxy", "nghttpx" if name in ("h2", "grpc") else "nginx"])
        if name in ("http1", "h2", "grpc", "tls"):
            bench.add_argument("--rounds", type=positive, default=3)
            bench.add_argument("--seconds", type=positive, default=5)
            bench.add_argument("--warmup", type=positive, default=20)
            bench.add_argument("--connections", type=positive, default=None if name in ("h2", "grpc") else 64)
        if name == "h2":
            bench.add_argument("--streams", type=counts, default=[32, 1])
        if name == "grpc":
            bench.add_argument("--streams", type=counts, default=[32])
        if name == "tls":
            bench.add_argument("--kinds", type=kinds, default=tls.KINDS)
            bench.add_argument("--handshakes", type=positive, default=16)
        if name == "http1":
            bench.add_argument("--match", choices=["exact", "regex"], default="exact")
        if name == "idle":
            bench.add_argument("--connections", type=positive, default=10000)
            bench.add_argument("--hold", type=positive, default=10)
        if name == "bulk":
            bench.add_argument("--mib", type=positive, default=1024)
    return parser.parse_args()


def main():
    # SIGTERM unwinds like Ctrl-C, so that the processes of the bench are ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse()
    try:
        {"http1": http1, "h2": h2, "grpc": h2, "tls": tls, "idle": idle, "bulk": bulk, "xds": xds, "steering": steering}[options.bench].run(options)
    except Unusable as error:
        print(f"bench.sh: {error}", file=sys.stderr)
        return 3
    except BenchError as error:
        print(f"bench.sh: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""h2 and grpc: CPU-µs of the proxy process per request, HTTP/2 without TLS on both sides. How: see rounds.py.

  h2-m32, h2-m1   GET, 1 KB answers; 32 requests of a connection at a time, and one
  grpc-m32        POST with about 100 bytes both ways, te: trailers, grpc-status in the answer's trailers
The origin is nghttpd, the load generator h2load, both on core 0. nghttpx chooses its origin by path and knows no other rules.
"""
import os
import re
import subprocess

import rules
from process import BenchError, Process
from rounds import Kind, run_kinds
from session import DRIVER_CORE, Session, check_same_work, free_port, print_machine

HEADERS = [
    "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
    "accept: application/json, text/plain, */*",
    "accept-encoding: gzip, deflate, br",
    "accept-language: en-GB,en;q=0.9,de;q=0.7",
    "authorization: Bearer 6f1c0a4be9d84fd7a5f2f0c9b13d7e58a1f4c26d",
    "cookie: session=9b2fd3b8c7e04f6e8d61; theme=dark",
]
GRPC_HEADERS = ["content-type: application/grpc", "te: trailers", "user-agent: grpc-c++/1.51.1", "grpc-timeout: 5S", "authorization: Bearer 6f1c0a4be9d84fd7a5f2f0c9b13d7e58a1f4c26d"]


def run(options):
    print_machine()
    grpc = options.bench == "grpc"
    allowed = rules.GRPC_ALLOWED if grpc else rules.ALLOWED
    with Session(options.engines, rules.grpc_rules() if grpc else rules.rules(), False, way="h2", origin=lambda session: start_origin(session, allowed, grpc)) as session:
        body = os.path.join(session.folder, "call")
        write(body, b"\0\0\0\0\x60" + bytes(range(0x60)))
        for engine in session.engines:
            check_same_work(engine, *allowed, 101 if grpc else 1024, None if grpc else rules.DENIED)
        kinds = []
        for streams in options.streams:
            name = f"{options.bench}-m{streams}"
            connections = options.connections or (64 if streams == 1 else 16)
            kinds.append(Kind(name, driver(allowed[1], connections, streams, GRPC_HEADERS if grpc else HEADERS, body if grpc else None),
                              latencies=("mean us", "max us"), target=3.0))
        run_kinds(session, kinds, options)


def start_origin(session, allowed, grpc):
    root = os.path.join(session.folder, "htdocs")
    file = root + allowed[1]
    os.makedirs(os.path.dirname(file))
    write(file, b"\0\0\0\0\x60" + bytes(0x60) if grpc else b"x" * 1024)
    types = os.path.join(session.folder, "mime.types")
    write(types, b"application/grpc grpc\n")
    port = free_port()
    process = Process("nghttpd", DRIVER_CORE, ["nghttpd", "--no-tls", "-a", "127.0.0.1", "-d", root, "--mime-types-file", types, "-W", "16", "-w", "16",
                                               *(["--trailer", "grpc-status: 0"] if grpc else []), str(port)], os.path.join(session.folder, "nghttpd.log"), session.folder)
    process.wait_for_port(port)
    return process, port


def driver(path, connections, streams, headers, body):
    """One run of h2load. Anything but success ends the bench."""
    def drive(engine, seconds):
        argv = ["taskset", "-c", str(DRIVER_CORE), "h2load", "-c", str(connections), "-m", str(streams), "-D", str(seconds), "-t", "1"]
        for line in headers:
            argv += ["-H", line]
        if body:
            argv += ["-d", body]
        done = subprocess.run([*argv, f"http://127.0.0.1:{engine.port}{path}"], capture_output=True, text=True, check=False, timeout=seconds + 60)
        finished = re.search(r"finished in ([0-9.]+)(s|ms)", done.stdout)
        counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", done.stdout)
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", done.stdout)
        times = re.search(r"time for request: +(\S+) +(\S+) +(\S+)", done.stdout)
        if not (finished and counts and codes and times):
            raise BenchError(f"h2load gave no result (exit {done.returncode}): {done.stdout}{done.stderr}")
        succeeded, failed, errored, timeout = (int(value) for value in counts.groups())
        if failed or errored or timeout or not succeeded or any(int(codes.group(i)) for i in (2, 3, 4)):
            raise BenchError(f"{engine.name}: not all went well: {counts.group(0)}; {codes.group(0)}\n{engine.process.last_words()}")
        length = float(finished.group(1)) / (1000 if finished.group(2) == "ms" else 1)
        return succeeded, length, micros(times.group(3)), micros(times.group(2))
    return drive


def micros(text):
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)

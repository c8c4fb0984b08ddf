"""tls: the proxy terminates TLS 1.3 (certificate of ECDSA P-256, X25519, AES-256-GCM or as the two agree); the origin is plain HTTP/1.1. How: see rounds.py.

  tls-keepalive       CPU-µs per request on kept connections, 1 KB answers
  tls-full            CPU-µs per new connection: full handshake, one request that is forwarded, orderly end
  tls-resumed         likewise with a session ticket of an earlier connection
  tls-full-local, tls-resumed-local   likewise with a request that the rules deny: no origin is asked, so the handshake stands out
Each client connection of Postern has its own connection to the origin (no client's requests share one with another's); HAProxy and nginx share theirs.
The client's part of a handshake costs as much as the server's, so for new connections the load generator may be the limit; that is said, not refused.
"""
import os
import subprocess
import time

import http1
import rules
from rounds import Kind, run_kinds
from session import DRIVER_CORE, Session, check_same_work, print_machine

KINDS = ["keepalive", "full", "resumed", "full-local", "resumed-local"]


def run(options):
    print_machine()
    with Session(options.engines, rules.rules(), False, way="tls") as session:
        client = os.path.join(session.folder, "handshakes")
        source = os.path.join(os.path.dirname(__file__), "handshakes.c")
        subprocess.run(["gcc", "-O2", "-Wall", "-o", client, source, "-lssl", "-lcrypto", "-lpthread"], check=True)
        for engine in session.engines:
            check_same_work(engine)
        run_kinds(session, [kind(name, client, options) for name in options.kinds], options)


def kind(name, client, options):
    if name == "keepalive":
        return Kind("tls-keepalive", lambda engine, seconds: http1.drive(engine, seconds, options.connections, "https"), target=2.0)
    resumed, local = name.startswith("resumed"), name.endswith("local")
    path, status = (rules.DENIED[1][1], "403") if local else (rules.ALLOWED[1], "200")

    def drive(engine, seconds):
        started = time.monotonic()
        done = subprocess.run(
            ["taskset", "-c", str(DRIVER_CORE), client, str(engine.port), str(seconds), str(options.handshakes), "resumed" if resumed else "full", path, status],
            capture_output=True, text=True, check=False, timeout=seconds + 60)
        return http1.read_result(engine, done, time.monotonic() - started)

    return Kind(f"tls-{name}", drive, unit="connection", target=0 if local else 1.5, refuses=False)

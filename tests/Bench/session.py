"""One bench session: a folder, the origin on core 0, the engines on core 1, and the end of them all whatever happens."""
import os
import platform
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

import engines
import rules
from process import BenchError, Process, raise_file_limit

DRIVER_CORE = 0


class Session:
    """
    Use as a context manager; `engines` holds what was started, in the order asked for.
    way: how engines speak (engines.Setting). origin(session): starts another origin than the benches' own, gives (process, port).
    """

    def __init__(self, names, rule_list, regex, way="http1", origin=None):
        self._names, self._rules, self._regex, self._way, self._origin = names, rule_list, regex, way, origin or start_origin
        self.engines, self.origin, self.folder, self.file_limit = [], None, None, 0

    def __enter__(self):
        self.file_limit = raise_file_limit()
        if (os.cpu_count() or 1) < 2:
            raise BenchError("two cores are needed: the proxy alone on core 1, everything else on core 0")
        self.folder = tempfile.mkdtemp(prefix="postern-bench-")
        try:
            os.sched_setaffinity(0, {DRIVER_CORE})  # this process and the clients it runs stay off the proxy's core
            self.origin, origin_port = self._origin(self)
            certificate = make_certificate(self.folder) if self._way == "tls" else None
            for name in self._names:
                setting = engines.Setting(self.folder, free_port(), origin_port, self._rules, self._regex, self._way, certificate)
                self.engines.append(engines.start(name, setting))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for engine in self.engines:
            engine.process.stop()
        if self.origin is not None:
            self.origin.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port():
    """A port nobody uses now. Another process could take it before we do; the engine then fails with its own message."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_origin(session):
    """The benches' own origin of HTTP/1.1."""
    binary = os.path.join(session.folder, "origin")
    subprocess.run(["gcc", "-O2", "-Wall", "-o", binary, os.path.join(os.path.dirname(__file__), "origin.c")], check=True)
    port = free_port()
    process = Process("origin", DRIVER_CORE, [binary, str(port)], os.path.join(session.folder, "origin.log"), session.folder)
    process.wait_for_port(port)
    return process, port


def make_certificate(folder):
    """A certificate of ECDSA P-256 for this run: paths of (chain, key)."""
    chain, key = os.path.join(folder, "chain.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=resources.default.svc.cluster.local",
                    "-addext", "subjectAltName=DNS:resources.default.svc.cluster.local", "-keyout", key, "-out", chain], check=True, capture_output=True)
    return chain, key


def check_same_work(engine, method=rules.ALLOWED[0], path=rules.ALLOWED[1], length=1024, denied=rules.DENIED):
    """An engine that lets a denied request through, denies the allowed one or speaks another protocol is not measured."""
    status, got = ask_once_ready(engine, method, path)
    if status != 200 or got != length:
        raise BenchError(f"{engine.name}: {method} {path} should give 200 with {length} bytes, gave {status} with {got}:\n{engine.process.last_words()}")
    for method, path in (denied if engine.enforces else None) or ():
        status, _ = ask(engine.port, method, path, engine.way)
        if status != 403:
            raise BenchError(f"{engine.name}: {method} {path} should be denied with 403, gave {status}")


def ask_once_ready(engine, method, path, seconds=20):
    """The first answer: Postern listens before its policy is in force, and until then resets every connection."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask(engine.port, method, path, engine.way)
        except BenchError as error:
            if time.monotonic() > deadline:
                raise BenchError(f"{engine.name} gives no answer after {seconds} s: {error}\n{engine.process.last_words()}") from error
            time.sleep(0.2)


def ask(port, method, path, way="http1"):
    """(status, bytes of body) by curl, which has to speak what is measured."""
    protocol = "--http2-prior-knowledge" if way == "h2" else "--http1.1"
    tls = ["-k", "--tlsv1.3"] if way == "tls" else []
    scheme = "https" if way == "tls" else "http"
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-m", "10", "-X", method, protocol, *tls, "-w", "%{http_code} %{size_download} %{http_version}",
                           f"{scheme}://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=False)
    fields = done.stdout.split()
    if done.returncode != 0 or len(fields) != 3 or fields[2] != ("2" if way == "h2" else "1.1"):
        raise BenchError(f"curl {protocol} of {method} {path} failed ({done.returncode}): {done.stdout} {done.stderr}")
    return int(fields[0]), int(fields[1])


def print_machine():
    """Numbers from another machine, commit or release are not comparable; say which these are."""
    def first_line(*argv):
        try:
            return (subprocess.run(argv, capture_output=True, text=True, check=False).stdout or "?").splitlines()[0]
        except (OSError, IndexError):
            return "?"
    with open("/proc/cpuinfo") as cpuinfo:
        model = next((line.split(":")[1].strip() for line in cpuinfo if line.startswith("model name")), platform.machine())
    with open("/proc/sys/net/ipv4/tcp_congestion_control") as control:
        congestion = control.read().strip()
    commit = first_line("git", "-C", engines.ROOT, "describe", "--always", "--dirty")
    print(f"commit {commit}; {os.cpu_count()} x {model}; Linux {platform.release()}; TCP {congestion}; "
          f"{' '.join(first_line('haproxy', '-v').split()[:3])}; wrk {first_line('dpkg-query', '-W', '-f=${Version}', 'wrk')}")


def print_table(header, rows):
    table = [header] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    for row in table:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def print_ratios(bench, cost_by_engine):
    """`ratio NAME PEER VALUE`: Postern's cost over the peer's. Nothing without Postern."""
    own = cost_by_engine.get("postern")
    for peer, cost in cost_by_engine.items():
        if own is not None and peer != "postern" and cost:
            print(f"ratio {bench} {peer} {own / cost:.2f}")


def print_ratios_of(lines):
    """The same for costs of parts of Postern: (name, peer, ratio), to three places."""
    for name, peer, ratio in lines:
        print(f"ratio {name} {peer} {ratio:.3f}")


median = statistics.median

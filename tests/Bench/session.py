"""One bench session: a folder, the origin on core 0, the engines on core 1, and the end of them all whatever happens."""
import http.client
import os
import platform
import shutil
import socket
import statistics
import subprocess
import tempfile

import engines
import rules
from process import BenchError, Process, raise_file_limit

DRIVER_CORE = 0


class Session:
    """Use as a context manager; `engines` holds what was started, in the order asked for."""

    def __init__(self, names, rule_list, regex):
        self._names, self._rules, self._regex = names, rule_list, regex
        self.engines, self.origin, self.folder, self.file_limit = [], None, None, 0

    def __enter__(self):
        self.file_limit = raise_file_limit()
        if (os.cpu_count() or 1) < 2:
            raise BenchError("two cores are needed: the proxy alone on core 1, everything else on core 0")
        self.folder = tempfile.mkdtemp(prefix="postern-bench-")
        try:
            os.sched_setaffinity(0, {DRIVER_CORE})  # this process and the clients it runs stay off the proxy's core
            binary = os.path.join(self.folder, "origin")
            subprocess.run(["gcc", "-O2", "-Wall", "-o", binary, os.path.join(os.path.dirname(__file__), "origin.c")], check=True)
            origin_port = free_port()
            self.origin = Process("origin", DRIVER_CORE, [binary, str(origin_port)], os.path.join(self.folder, "origin.log"), self.folder)
            self.origin.wait_for_port(origin_port)
            for name in self._names:
                self.engines.append(engines.start(name, self.folder, free_port(), origin_port, self._rules, self._regex))
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


def check_same_work(engine):
    """An engine that lets a denied request through, denies the allowed one or does not log is not measured."""
    before = engine.log_size()
    method, path = rules.ALLOWED
    status, body = ask(engine.port, method, path)
    if status != 200 or len(body) != 1024:
        raise BenchError(f"{engine.name}: {method} {path} should give 200 with 1024 bytes, gave {status} with {len(body)}: {body[:120]!r}")
    for method, path in rules.DENIED:
        status, _ = ask(engine.port, method, path)
        if status != 403:
            raise BenchError(f"{engine.name}: {method} {path} should be denied with 403, gave {status}")
    return before


def ask(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


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

"""http1: CPU-µs of the proxy process per request, HTTP/1.1 keep-alive, 1 KB answers, 50 rules, a log line per request. How: see rounds.py."""
import os
import subprocess
import time

import rules
from process import BenchError
from rounds import Kind, run_kinds
from session import DRIVER_CORE, Session, check_same_work, print_machine


def run(options):
    print_machine()
    with Session(options.engines, rules.rules(), options.match == "regex") as session:
        for engine in session.engines:
            check_same_work(engine)
        run_kinds(session, [Kind("http1", lambda engine, seconds: drive(engine, seconds, options.connections), target=1.5)], options)


def drive(engine, seconds, connections, scheme="http"):
    """One run of wrk. Any answer other than 2xx and any broken connection ends the bench: such a round measures something else."""
    method, path = rules.ALLOWED
    assert method == "GET"
    script = os.path.join(os.path.dirname(__file__), "request.lua")
    started = time.monotonic()
    done = subprocess.run(
        ["taskset", "-c", str(DRIVER_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script,
         f"{scheme}://127.0.0.1:{engine.port}{path}"], capture_output=True, text=True, check=False, timeout=seconds + 60)
    return read_result(engine, done, time.monotonic() - started)


def read_result(engine, done, took):
    """The line "RESULT units µs p50 p99 refused broken" of a load generator."""
    line = next((text for text in done.stdout.splitlines() if text.startswith("RESULT ")), None)
    if line is None:
        raise BenchError(f"{done.args[3]} gave no result after {took:.0f} s (exit {done.returncode}): {done.stdout}{done.stderr}")
    requests, micros, p50, p99, refused, broken = (int(value) for value in line.split()[1:7])
    if refused or broken or not requests:
        raise BenchError(f"{engine.name}: {refused} answers were not as expected and {broken} connections broke in {requests}:\n{done.stderr}\n{engine.process.last_words()}")
    return requests, micros / 1e6, p50, p99

"""http1: CPU-µs of the proxy process per request, HTTP/1.1 keep-alive, 1 KB answers, 50 rules, a log line per request.

Why CPU and not requests per second: the machine's other work and the load generator move rps by tens of percent, CPU per request by few.
It is meaningful only when the proxy has work all the time; a proxy that waits for work batches less and sleeps more. Two figures tell:
  demand   part of the round in which the proxy's threads ran or stood in the run queue, at most 1
  share    proxy's CPU / (proxy's CPU + idle time of its core): what it took of all that the core had to give
If one of them is low, wrk and the origin on core 0 were the limit (and perhaps another process filled the gaps on core 1); then the bench
refuses to give numbers. Low core use with high demand only means that other processes shared the core: more spread, same meaning.
"""
import dataclasses
import os
import subprocess
import time

import rules
from process import BenchError, Unusable, core_idle
from session import DRIVER_CORE, Session, check_same_work, median, print_machine, print_ratios, print_table
from engines import CORE

MIN_BUSY = 0.90
# Below this the proxy was pushed off its core by other processes: caches are cold and the numbers are worth less.
UNDISTURBED = 0.90


@dataclasses.dataclass
class Round:
    """What one round of one engine gave."""
    requests: int
    seconds: float
    user: float       # CPU-s
    system: float     # CPU-s
    idle: float       # s that the proxy's core had nothing to do
    wanted: float     # s that the proxy ran or stood in the run queue
    p50: int          # µs
    p99: int          # µs
    rss: float        # MiB

    @property
    def cost(self):
        return (self.user + self.system) * 1e6 / self.requests

    @property
    def core_use(self):
        return (self.user + self.system) / self.seconds

    @property
    def demand(self):
        # A thread that ended within the round takes its share of the queue time with it; what the process ran is counted all the same.
        return min(1.0, max(self.wanted, self.user + self.system) / self.seconds)

    @property
    def share(self):
        used = self.user + self.system
        return used / (used + self.idle) if used else 0.0


def run(options):
    print_machine()
    with Session(options.engines, rules.rules(), options.match == "regex") as session:
        for engine in session.engines:
            check_same_work(engine)
        for engine in session.engines:
            print(f"warming {engine.name} for {options.warmup} s", flush=True)
            drive(engine, options.warmup, options.connections)
            engine.empty_log()
        results = {engine.name: [] for engine in session.engines}
        for number in range(options.rounds):
            for engine in session.engines:
                result = measure(engine, options)
                results[engine.name].append(result)
                print(f"round {number + 1} {engine.name}: {result.cost:.1f} us/request, {result.requests / result.seconds:.0f} rps, "
                      f"core use {result.core_use:.0%}, demand {result.demand:.0%}, share {result.share:.0%}", flush=True)
        report(results)


def measure(engine, options):
    log_before = engine.log_size()
    user, system = engine.process.cpu()
    idle, wanted = core_idle(CORE), engine.process.wanted()
    requests, seconds, p50, p99 = drive(engine, options.seconds, options.connections)
    user_after, system_after = engine.process.cpu()
    idle_after, wanted_after = core_idle(CORE), engine.process.wanted()
    # Rotation may make the file shorter; not growing at all means that nothing was recorded.
    if engine.log_size() == log_before:
        raise BenchError(f"{engine.name} wrote no line to {os.path.basename(engine.log)} in this round: it did less work than asked for")
    result = Round(requests, seconds, user_after - user, system_after - system, idle_after - idle, wanted_after - wanted, p50, p99, engine.process.memory())
    engine.empty_log()
    return result


def drive(engine, seconds, connections):
    """One run of wrk. Any answer other than 2xx and any broken connection ends the bench: such a round measures something else."""
    method, path = rules.ALLOWED
    assert method == "GET"
    script = os.path.join(os.path.dirname(__file__), "request.lua")
    started = time.monotonic()
    done = subprocess.run(
        ["taskset", "-c", str(DRIVER_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script,
         f"http://127.0.0.1:{engine.port}{path}"], capture_output=True, text=True, check=False, timeout=seconds + 60)
    line = next((text for text in done.stdout.splitlines() if text.startswith("RESULT ")), None)
    if line is None:
        raise BenchError(f"wrk gave no result after {time.monotonic() - started:.0f} s (exit {done.returncode}): {done.stdout}{done.stderr}")
    requests, micros, p50, p99, refused, broken = (int(value) for value in line.split()[1:])
    if refused or broken or not requests:
        raise BenchError(f"{engine.name}: {refused} answers were not 2xx and {broken} connections broke in {requests} requests:\n{engine.process.last_words()}")
    return requests, micros / 1e6, p50, p99


def report(results):
    def mid(rounds, value):
        return median(value(result) for result in rounds)

    print()
    rows = []
    for name, rounds in results.items():
        rows.append([
            name,
            f"{mid(rounds, lambda r: r.cost):.1f}",
            f"{mid(rounds, lambda r: r.user * 1e6 / r.requests):.1f}",
            f"{mid(rounds, lambda r: r.system * 1e6 / r.requests):.1f}",
            f"{min(r.cost for r in rounds):.1f}-{max(r.cost for r in rounds):.1f}",
            f"{mid(rounds, lambda r: r.requests / r.seconds):.0f}",
            f"{mid(rounds, lambda r: r.core_use):.0%}",
            f"{mid(rounds, lambda r: r.demand):.0%}",
            f"{mid(rounds, lambda r: r.share):.0%}",
            f"{mid(rounds, lambda r: r.p50):.0f}",
            f"{mid(rounds, lambda r: r.p99):.0f}",
            f"{mid(rounds, lambda r: r.rss):.0f}",
        ])
    print_table(["engine", "CPU us/request", "user", "system", "min-max", "rps", "core use", "demand", "share", "p50 us", "p99 us", "RSS MiB"], rows)

    busy = {name: mid(rounds, lambda r: min(r.demand, r.share)) for name, rounds in results.items()}
    bound = [f"{name} had work for {part:.0%} of the time" for name, part in busy.items() if part < MIN_BUSY]
    if bound:
        raise Unusable(f"driver-bound: {', '.join(bound)} (at least {MIN_BUSY:.0%} wanted). The load generator was the limit, so the costs above "
                       "are not comparable. Free core 0 of other work, or give the generator more to keep in flight with --connections.")
    disturbed = [name for name, rounds in results.items() if mid(rounds, lambda r: r.core_use) < UNDISTURBED]
    if disturbed:
        print(f"note: other processes took part of core 1 from {', '.join(disturbed)}; the proxy never waited for work, but expect more spread")
    print_ratios("http1", {name: mid(rounds, lambda r: r.cost) for name, rounds in results.items()})

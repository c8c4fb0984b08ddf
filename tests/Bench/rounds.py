"""CPU of the proxy per unit of work, in interleaved rounds: warm every engine, then let each have its turn, round after round.

Why CPU and not requests per second: the machine's other work and the load generator move rps by tens of percent, CPU per request by few.
It is meaningful only when the proxy has work all the time; a proxy that waits for work batches less and sleeps more. Two figures tell:
  demand   part of the round in which the proxy's threads ran or stood in the run queue, at most 1
  share    proxy's CPU / (proxy's CPU + idle time of its core): what it took of all that the core had to give
If one of them is low, the load generator and the origin on core 0 were the limit (and perhaps another process filled the gaps on core 1); then
the bench refuses to give numbers, or says so with them. Low core use with high demand only means that other processes shared the core: more
spread, same meaning.
"""
import dataclasses
import os

from engines import CORE
from process import BenchError, Unusable, core_idle
from session import median, print_ratios, print_table

MIN_BUSY = 0.90
# Below this the proxy was pushed off its core by other processes: caches are cold and the numbers are worth less.
UNDISTURBED = 0.90


@dataclasses.dataclass
class Kind:
    """What is measured: drive(engine, seconds) gives (units of work, seconds, a latency, another), in µs."""
    name: str
    drive: object
    unit: str = "request"
    latencies: tuple = ("p50 us", "p99 us")
    target: float = 0.0      # of HAProxy's CPU; 0: none
    refuses: bool = True     # whether a load generator that was the limit spoils the run
    logs: bool = True        # whether each unit leaves a line


@dataclasses.dataclass
class Round:
    """What one round of one engine gave."""
    requests: int
    seconds: float
    user: float       # CPU-s
    system: float     # CPU-s
    idle: float       # s that the proxy's core had nothing to do
    wanted: float     # s that the proxy ran or stood in the run queue
    p50: float        # µs
    p99: float        # µs
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


def run_kinds(session, kinds, options):
    """Every kind in turn, each with all engines warmed for it; ratios and claims at the end of each. Unusable kinds are told at the end."""
    spoilt = []
    for kind in kinds:
        for engine in session.engines:
            warm(engine, kind, options.warmup)
        results = {engine.name: [] for engine in session.engines}
        for number in range(options.rounds):
            for engine in session.engines:
                result = measure(engine, kind, options.seconds)
                results[engine.name].append(result)
                print(f"round {number + 1} {engine.name}: {result.cost:.1f} us/{kind.unit}, {result.requests / result.seconds:.0f}/s, "
                      f"core use {result.core_use:.0%}, demand {result.demand:.0%}, share {result.share:.0%}", flush=True)
        try:
            report(kind, results)
        except Unusable as error:
            print(f"{kind.name}: {error}", flush=True)
            spoilt.append(f"{kind.name}: {error}")
    if spoilt:
        raise Unusable("\n".join(spoilt))


def warm(engine, kind, seconds):
    """What is compiled ahead needs no time to be quick. What is not is warm after so many seconds of its own CPU: on a machine that others use, too, that takes longer."""
    if not engine.compiles:
        seconds = min(seconds, 3)
    print(f"warming {engine.name} for {seconds} s of CPU ({kind.name})", flush=True)
    before = sum(engine.process.cpu())
    for _ in range(4 if engine.compiles else 1):
        kind.drive(engine, seconds)
        if sum(engine.process.cpu()) - before >= 0.7 * seconds:
            break
    engine.empty_log()


def measure(engine, kind, seconds):
    log_before = engine.log_size()
    user, system = engine.process.cpu()
    idle, wanted = core_idle(CORE), engine.process.wanted()
    requests, seconds, p50, p99 = kind.drive(engine, seconds)
    user_after, system_after = engine.process.cpu()
    idle_after, wanted_after = core_idle(CORE), engine.process.wanted()
    # Rotation may make the file shorter; not growing at all means that nothing was recorded.
    if kind.logs and engine.log_size() == log_before:
        raise BenchError(f"{engine.name} wrote no line to {os.path.basename(engine.log)} in this round: it did less work than asked for")
    result = Round(requests, seconds, user_after - user, system_after - system, idle_after - idle, wanted_after - wanted, p50, p99, engine.process.memory())
    engine.empty_log()
    return result


def report(kind, results):
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
    print_table([kind.name, f"CPU us/{kind.unit}", "user", "system", "min-max", "per s", "core use", "demand", "share", *kind.latencies, "RSS MiB"], rows)

    busy = {name: mid(rounds, lambda r: min(r.demand, r.share)) for name, rounds in results.items()}
    bound = {name: f"{name} had work for {part:.0%} of the time" for name, part in busy.items() if part < MIN_BUSY}
    if kind.refuses and ("postern" in bound or len(bound) > len(results) - 2):
        raise Unusable(f"driver-bound: {', '.join(bound.values())} (at least {MIN_BUSY:.0%} wanted). The load generator was the limit, so the costs above "
                       "are not comparable. Free core 0 of other work, or give the generator more to keep in flight with --connections.")
    if bound:
        print(f"note: the load generator was the limit ({', '.join(bound.values())}): what an engine pays for sleeping and waking is in its cost"
              + (", so there is no ratio" if kind.refuses else ""))
    disturbed = [name for name, rounds in results.items() if mid(rounds, lambda r: r.core_use) < UNDISTURBED and busy[name] >= MIN_BUSY]
    if disturbed:
        print(f"note: other processes took part of core 1 from {', '.join(disturbed)}; the proxy never waited for work, but expect more spread")
    costs = {name: mid(rounds, lambda r: r.cost) for name, rounds in results.items() if not (kind.refuses and name in bound)}
    print_ratios(kind.name, costs)
    if kind.target and "postern" in costs and costs.get("haproxy"):
        ratio = costs["postern"] / costs["haproxy"]
        print(f"claim {kind.name}: at most {kind.target:.1f} x HAProxy's CPU: {'held' if ratio <= kind.target else 'not held'} ({ratio:.2f})")

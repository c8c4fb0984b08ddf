"""steering: CPU per transaction without steering, by eBPF and by iptables, with 10 and with 5,000 redirect rules, side by side.

TCP_RR: a byte there and back on kept connections. TCP_CRR: connect, a byte there and back, close. Both for traffic that a rule redirects and for
traffic that passes by all rules. The cost is the CPU time of both ends, and the kernel's work for them is in it: on veth a packet's whole way
through the node runs in soft interrupts of its sender. Time of other processes is not in it, so a busy machine spreads the numbers but does not
shift them; whole-machine time stands beside it and tells how busy it was.

1.02 is below the noise of one measurement. So the variants take turns in short slices, ratios are made within a round, and what counts is the
median ratio with its 95 % confidence interval (order statistics: nothing is assumed of the noise). A limit inside the interval is neither shown
nor refuted: exit code 3. The kernel's own count of a program's run time is printed too: it sees the program alone, not the rest of the stack.
"""
import contextlib
import math
import os
import re
import shutil
import subprocess
import tempfile

import bpf_stats
from process import TICKS_PER_SECOND, BenchError, Unusable
from session import median, print_machine, print_ratios_of, print_table
from steering_world import PASSING, REDIRECTED, Variant

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = ["dotnet", os.path.join(HERE, "Steering/bin/Release/net10.0/Postern.Bench.Steering.dll")]
VARIANTS = ["none", "ebpf-10", "ebpf-5000", "iptables-10", "iptables-5000"]
KINDS = [("rr", REDIRECTED), ("crr", REDIRECTED), ("rr", PASSING), ("crr", PASSING)]
CLAIMS = [("ebpf-5000", "ebpf-10", 1.02), ("ebpf-10", "iptables-10", 1.0), ("ebpf-5000", "iptables-5000", 1.0)]
PROGRAM = "postern_ingress"
CONFIDENCE = 0.95


def run(options):
    if os.geteuid() != 0:
        raise BenchError("network namespaces and BPF need root")
    if (os.cpu_count() or 1) < 2:
        raise BenchError("two cores are needed: the client on core 0, the listeners on core 1")
    unknown = [name for name in options.variants if not re.fullmatch("none|(ebpf|iptables)-[1-9][0-9]{0,5}", name)]
    if unknown or len(set(options.variants)) < len(options.variants):
        raise BenchError(f"--variants {','.join(options.variants)}: each one once, like {', '.join(VARIANTS)}; the number is that of the rules")
    os.setpriority(os.PRIO_PROCESS, 0, -10)  # inherited: a slice that other work tears apart runs with cold caches
    print_machine()
    with contextlib.ExitStack() as stack:
        folder = tempfile.mkdtemp(prefix="postern-bench-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        program = os.path.join(folder, "rr")
        subprocess.run(["gcc", "-O2", "-Wall", "-o", program, os.path.join(HERE, "Steering/rr.c")], check=True)
        variants = []
        for name in options.variants:
            print(f"setting up {name}", flush=True)
            variants.append(stack.enter_context(contextlib.closing(Variant(name, folder, program, TOOL))))
        for variant in variants:
            for what, traffic in KINDS:
                variant.drive(what, traffic, options.connections, options.slice_ms)  # connections, caches, the conntrack of the first ports
        results, machine, others = measure(variants, options)
        times = run_times(variants, options)
    report(results, machine, others)
    report_run_times(times)
    judge(results)


def measure(variants, options):
    """CPU-ns per transaction, `results[kind][variant]` a list with one for each round; the same of the whole machine, all rounds together."""
    results = {kind: {variant.name: [] for variant in variants} for kind in KINDS}
    machine = {kind: {variant.name: [0.0, 0] for variant in variants} for kind in KINDS}
    own = total = 0.0
    for number in range(options.rounds):
        order = variants if number % 2 == 0 else variants[::-1]  # a drift within a round cancels out
        for kind in KINDS:
            for variant in order:
                busy = machine_busy()
                transactions, spent = variant.drive(*kind, options.connections, options.slice_ms)
                busy = machine_busy() - busy
                results[kind][variant.name].append(spent / transactions)
                machine[kind][variant.name][0] += busy
                machine[kind][variant.name][1] += transactions
                own, total = own + spent / 1e9, total + busy
        if (number + 1) % 10 == 0:
            print(f"round {number + 1} of {options.rounds}", flush=True)
    return results, machine, max(0.0, 1 - own / total)


def machine_busy():
    """Seconds so far that the cores were not idle (user, nice, system, irq, softirq of /proc/stat)."""
    with open("/proc/stat") as stat:
        fields = [int(value) for value in stat.readline().split()[1:]]
    return (fields[0] + fields[1] + fields[2] + fields[5] + fields[6]) / TICKS_PER_SECOND


def run_times(variants, options):
    """For each kind and eBPF variant the ns per run of the ingress program, one for each turn."""
    ebpf = [variant for variant in variants if variant.name.startswith("ebpf")]
    times = {kind: {variant.name: [] for variant in ebpf} for kind in KINDS}
    if not ebpf:
        return times
    with bpf_stats.Enabled():
        for _ in range(options.rounds // 4 + 1):
            for kind in KINDS:
                for variant in ebpf:
                    before = bpf_stats.read(PROGRAM)
                    variant.drive(*kind, options.connections, options.slice_ms)
                    after = bpf_stats.read(PROGRAM)
                    if after[1] == before[1]:
                        raise BenchError(f"{variant.name}: no BPF program named {PROGRAM} has run, so nothing steers here")
                    times[kind][variant.name].append((after[0] - before[0]) / (after[1] - before[1]))
    return times


def report(results, machine, others):
    for kind, by_variant in results.items():
        print(f"\n{title(kind)}")
        rows = []
        for name, costs in by_variant.items():
            low, high = quartiles(costs)
            busy, transactions = machine[kind][name]
            beside = by_variant.get("none")
            rows.append([name, f"{median(costs) / 1e3:.2f}", f"{low / 1e3:.2f}-{high / 1e3:.2f}", f"{busy * 1e6 / transactions:.2f}",
                         f"{median(ratios(costs, beside)):.3f}" if beside else "-", transactions])
        print_table(["steering", "CPU us/transaction", "quartiles", "machine us", "over none", "transactions"], rows)
    print(f"\n{others:.0%} of the time that the cores were busy went to other processes (Python between the slices included)")


def report_run_times(times):
    rows = []
    for kind, by_variant in times.items():
        small, large = by_variant.get("ebpf-10"), by_variant.get("ebpf-5000")
        rows += [[f"{title(kind)}, {name}", f"{median(turns):.0f}", "{:.0f}-{:.0f}".format(*quartiles(turns)),
                  f"{median(ratios(large, small)):.3f}" if name == "ebpf-5000" and small else "-"] for name, turns in by_variant.items()]
    if rows:
        print(f"\nrun time of {PROGRAM} as the kernel counts it (its clock, about 20 ns, included)")
        print_table(["traffic", "ns/packet", "quartiles", "over ebpf-10"], rows)


def judge(results):
    """Prints each claim with its interval and the `ratio` lines; raises Unusable where the noise hides the answer."""
    rows, lines, undecided = [], [], []
    for kind, by_variant in results.items():
        for name, peer, limit in CLAIMS:
            if name not in by_variant or peer not in by_variant:
                continue
            each = ratios(by_variant[name], by_variant[peer])
            low, high = interval(each)
            verdict = "yes" if high <= limit else "no" if low > limit else "cannot be told"
            if verdict == "cannot be told":
                undecided.append(f"{title(kind)}, {name} to {peer}")
            spread = quartiles(each)
            rows.append([f"{title(kind)}: {name} / {peer} <= {limit}", f"{median(each):.3f}", f"{low:.3f}-{high:.3f}", f"{spread[0]:.3f}-{spread[1]:.3f}", verdict])
            lines.append((f"steering-{kind[0]}-{kind[1]}-{name}", peer, median(each)))
    if not rows:
        return
    print()
    print_table(["claim", "ratio", "95 % interval", "quartiles", "holds"], rows)
    print_ratios_of(lines)
    if undecided:
        raise Unusable(f"the noise is wider than what is to be shown: {'; '.join(undecided)}. Keep the machine free of other work, or give more --rounds.")


def title(kind):
    return f"TCP_{kind[0].upper()} {kind[1]}"


def ratios(costs, peers):
    return [cost / peer for cost, peer in zip(costs, peers)]


def quartiles(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 4], ordered[-1 - len(ordered) // 4]


def interval(values):
    """A confidence interval of the median: the k-th value from below and from above, k by the binomial distribution."""
    ordered, n = sorted(values), len(values)
    outside, k = 0.0, 0
    while k < n // 2 and outside + math.comb(n, k) / 2 ** n <= (1 - CONFIDENCE) / 2:
        outside += math.comb(n, k) / 2 ** n
        k += 1
    if k == 0:
        return 0.0, math.inf  # fewer than six rounds say nothing
    return ordered[k - 1], ordered[n - k]

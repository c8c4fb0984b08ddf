"""bulk: one large body down and one up through the proxy. Memory must not follow the size of the body; CPU is counted per GiB."""
import os
import subprocess
import time

import rules
from process import BenchError
from session import DRIVER_CORE, Session, print_machine, print_ratios, print_table

# Room for buffers and for what a first large body makes a managed heap grow by; a proxy that gathers the body goes past it by far.
ALLOWED_GROWTH_MIB = 96
WARM_MIB = 64


def run(options):
    print_machine()
    size = options.mib * 1024 * 1024
    rows, down, up = [], {}, {}
    too_much = []
    with Session(options.engines, rules.BULK, regex=True) as session:
        source = os.path.join(session.folder, "upload")
        with open(source, "wb") as file:
            file.truncate(size)  # sparse: reading it costs no disk
        for engine in session.engines:
            # The first bodies compile code; that is not what is asked here.
            transfer(engine, "down", WARM_MIB * 1024 * 1024, source)
            for direction, costs in (("down", down), ("up", up)):
                before = engine.process.memory()
                engine.process.forget_peak()
                user, system = engine.process.cpu()
                started = time.monotonic()
                transfer(engine, direction, size, source)
                seconds = time.monotonic() - started
                user_after, system_after = engine.process.cpu()
                peak = engine.process.memory("VmHWM")
                user, system = user_after - user, system_after - system
                costs[engine.name] = (user + system) * 1024 / options.mib
                rows.append([engine.name, direction, options.mib, f"{before:.1f}", f"{peak:.1f}", f"{costs[engine.name]:.2f}",
                             f"{user:.2f}", f"{system:.2f}", f"{size / seconds / 1e6:.0f}"])
                if engine.name == "postern" and peak - before > ALLOWED_GROWTH_MIB:
                    too_much.append(f"{direction}: {before:.0f} to {peak:.0f} MiB")
    print()
    print_table(["engine", "way", "MiB", "RSS before MiB", "peak", "CPU s/GiB", "user s", "system s", "MB/s"], rows)
    print_ratios("bulk-down", down)
    print_ratios("bulk-up", up)
    if too_much:
        raise BenchError(f"postern's memory follows the body ({'; '.join(too_much)}; at most {ALLOWED_GROWTH_MIB} MiB of growth allowed)")


def transfer(engine, direction, size, source):
    """Moves `size` bytes and checks that all of them arrived: curl counts the way down, the origin the way up."""
    url = f"http://127.0.0.1:{engine.port}/bulk/{size}"
    way = ["-o", "/dev/null", "-w", "%{size_download}"] if direction == "down" else ["-T", source]
    done = subprocess.run(
        ["taskset", "-c", str(DRIVER_CORE), "curl", "-sS", "-f", "-m", "300", *way, url], capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stdout.strip() != str(size):
        raise BenchError(f"{engine.name}: {direction} {size} bytes: curl exit {done.returncode}, {done.stdout.strip() or 0} bytes arrived. "
                         f"{done.stderr.strip()}\n{engine.process.last_words()}")

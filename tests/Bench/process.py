"""Processes of a bench: started on a core, measured through /proc, ended by their own id."""
import glob
import os
import resource
import signal
import socket
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """The run cannot go on; the text names the cause."""


class Unusable(Exception):
    """The run went through but says nothing (exit code 3)."""


def raise_file_limit():
    """Up to the hard limit (and past it where that is allowed); every child inherits it. Returns the limit in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (65536, hard):
        if wanted <= soft:
            continue
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
            return wanted
        except (ValueError, OSError):
            continue
    return soft


class Process:
    """A child pinned to one core, with its own descendants counted in (nginx has a worker)."""

    def __init__(self, name, core, argv, log_path, cwd):
        self.name, self.log_path = name, log_path
        # Appending, so that a log that is emptied between rounds does not become a sparse file.
        self._log = open(log_path, "ab")
        self._child = subprocess.Popen(
            ["taskset", "-c", str(core), *argv], stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT, cwd=cwd, start_new_session=True)
        self.pid = self._child.pid  # taskset becomes the program: the id stays

    def wait_for_port(self, port, seconds=20):
        """Returns once something accepts on the port; tells the process's own last words when it ends or stays silent."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                pass
            if self._child.poll() is not None:
                raise BenchError(f"{self.name} ended with code {self._child.returncode}:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name} does not listen on 127.0.0.1:{port} after {seconds} s:\n{self.last_words()}")
            time.sleep(0.05)

    def last_words(self, lines=15):
        with open(self.log_path, "rb") as log:
            log.seek(max(0, os.path.getsize(self.log_path) - 8192))
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-lines:])

    def tree(self):
        """Process ids of the child and its descendants."""
        found, todo = [], [self.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                with open(f"/proc/{pid}/task/{pid}/children") as children:
                    todo += [int(child) for child in children.read().split()]
            except OSError:
                pass
        return found

    def cpu(self):
        """(user, system) seconds so far, all threads (utime and stime of /proc/PID/stat)."""
        user = system = 0
        for pid in self.tree():
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            user += int(fields[11])
            system += int(fields[12])
        return user / TICKS_PER_SECOND, system / TICKS_PER_SECOND

    def wanted(self):
        """Seconds so far in which its threads ran or stood in the run queue (/proc/PID/task/*/schedstat). Threads of one moment add up."""
        nanos = 0
        for pid in self.tree():
            for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                try:
                    with open(path) as schedstat:
                        nanos += sum(int(value) for value in schedstat.read().split()[:2])
                except OSError:
                    continue
        return nanos / 1e9

    def memory(self, field="VmRSS"):
        """MiB of VmRSS (resident now) or VmHWM (its peak since forget_peak)."""
        total = 0
        for pid in self.tree():
            try:
                with open(f"/proc/{pid}/status") as status:
                    total += sum(int(line.split()[1]) for line in status if line.startswith(field + ":"))
            except OSError:
                continue
        return total / 1024

    def forget_peak(self):
        for pid in self.tree():
            with open(f"/proc/{pid}/clear_refs", "w") as clear:
                clear.write("5")

    def stop(self):
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                for pid in self.tree():
                    os.kill(pid, signal.SIGKILL)
                self._child.wait()
        self._log.close()


def core_idle(core):
    """Seconds so far that one core had nothing to do, waiting for I/O included (/proc/stat)."""
    with open("/proc/stat") as stat:
        for line in stat:
            fields = line.split()
            if fields[0] == f"cpu{core}":
                return (int(fields[4]) + int(fields[5])) / TICKS_PER_SECOND
    raise BenchError(f"no core {core}: the benches need two (the proxy alone on core 1, everything else on core 0)")

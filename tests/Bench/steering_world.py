"""What `steering` measures in: for each variant a client, a node and a server of their own, in network namespaces joined by veth pairs.

  client 10.71.1.2 -- 10.71.1.1 node 10.71.2.1 -- 10.71.2.2 server

Rules steer client -> 10.71.2.2:80 to 127.0.0.1:15001 in the node. Without steering the client asks for 10.71.1.1:80, where the same program
listens plainly. 10.71.2.2:81 is forwarded, past every rule. bench.sh gives the run a mount namespace, so the names in /run/netns and the BPF
file system go with it however it ends; the network namespaces go with their last process.
"""
import os
import select
import subprocess

from process import BenchError

CLIENT_CORE, OTHER_CORE = 0, 1
SERVER, NODE = "10.71.2.2", "10.71.1.1"
REDIRECTED, PASSING = "redirected", "passing"
START_S = 180  # 5,000 rules by iptables on a busy machine


def command(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"'{' '.join(argv)}' failed: {(done.stderr or done.stdout).strip()}")


class Talker:
    """A program in a namespace that answers each line of its input with one line."""

    def __init__(self, name, space, core, argv, log):
        self.name = name
        self._log = open(log, "ab")
        self.log_path = log
        self._child = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{space}", "taskset", "-c", str(core), *argv],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, start_new_session=True)

    def hear(self, seconds):
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._child.stdout], [], [], seconds)
            piece = os.read(self._child.stdout.fileno(), 1) if ready else b""
            if not piece:
                raise BenchError(f"{self.name} {'ended' if ready else f'said nothing for {seconds} s'}:\n{self.last_words()}")
            line += piece
        return line.decode().strip()

    def ask(self, line, seconds=30):
        try:
            self._child.stdin.write(line.encode() + b"\n")
            self._child.stdin.flush()
        except OSError as error:
            raise BenchError(f"{self.name} ended:\n{self.last_words()}") from error
        return self.hear(seconds)

    def last_words(self):
        with open(self.log_path, "rb") as log:
            return log.read().decode("utf-8", "replace")[-2000:]

    def stop(self, seconds=START_S):
        try:
            self._child.stdin.close()
        except OSError:
            pass
        try:
            self._child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._log.close()


class Variant:
    """One way of steering (`none`, `ebpf-10`, ...), set up and ready to be driven."""

    def __init__(self, name, folder, program, tool):
        self.name = name
        self._spaces, self._talkers, self._mount = [], [], None
        try:
            self._build(folder, program, tool)
        except BaseException:
            self.close()
            raise

    def _build(self, folder, program, tool):
        client, node, server = (self._space(role) for role in ("client", "node", "server"))
        join(client, "10.71.1.2/24", node, "c0", NODE + "/24")
        join(server, SERVER + "/24", node, "s0", "10.71.2.1/24")
        command("ip", "-n", client, "route", "add", "default", "via", NODE)
        command("ip", "-n", server, "route", "add", "default", "via", "10.71.2.1")
        command("nsenter", f"--net=/run/netns/{node}", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        kind, _, count = self.name.partition("-")
        end = (NODE, "80", "plain") if kind == "none" else ("127.0.0.1", "15001", "transparent")
        self._target = {REDIRECTED: f"{NODE} 80" if kind == "none" else f"{SERVER} 80", PASSING: f"{SERVER} 81"}
        listener = self._talk("listener", node, OTHER_CORE, [program, "listen", *end], folder)
        origin = self._talk("server", server, OTHER_CORE, [program, "listen", SERVER, "81", "plain"], folder)
        for end in (listener, origin):
            end.hear(10)
        self._answers = {REDIRECTED: listener, PASSING: origin}
        if kind != "none":
            path = os.path.join(folder, f"rules-{count}")
            write_rules(path, int(count))
            state = os.path.join(folder, self.name)
            mount = os.path.join(state, "bpf")
            os.makedirs(mount)
            command("mount", "-t", "bpf", "bpf", mount)
            self._mount = mount
            self._talk("steering", node, OTHER_CORE, [*tool, "install", kind, path, state], folder).hear(START_S)
        self._client = self._talk("client", client, CLIENT_CORE, [program, "drive"], folder)

    def drive(self, what, traffic, connections, milliseconds):
        """Runs `rr` or `crr` for that time. Returns transactions and the CPU-ns that both ends took for them, the kernel's part included."""
        peer = self._answers[traffic]
        before = int(self._client.ask("cpu")) + int(peer.ask("cpu"))
        transactions = int(self._client.ask(f"{what} {self._target[traffic]} {connections} {milliseconds}"))
        return transactions, int(self._client.ask("cpu")) + int(peer.ask("cpu")) - before

    def close(self):
        # Clients first: a listener that goes while steered connections are open would make noise, not harm.
        for talker in reversed(self._talkers):
            talker.stop()
        if self._mount:
            subprocess.run(["umount", self._mount], capture_output=True, check=False)
        for space in self._spaces:
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)

    def _space(self, role):
        name = f"pst-bench-{self.name}-{role}"
        command("ip", "netns", "add", name)
        self._spaces.append(name)
        command("ip", "-n", name, "link", "set", "lo", "up")
        return name

    def _talk(self, role, space, core, argv, folder):
        talker = Talker(f"{role} of {self.name}", space, core, argv, os.path.join(folder, f"{self.name}-{role}.log"))
        self._talkers.append(talker)
        return talker


def join(outer, outer_address, node, link, node_address):
    """A veth pair, the same address to the same MAC each time: eth0 in the outer namespace, `link` in the node."""
    command("ip", "link", "add", "name", "eth0", "netns", outer, "type", "veth", "peer", "name", link, "netns", node)
    for space, name, address in ((outer, "eth0", outer_address), (node, link, node_address)):
        command("ip", "-n", space, "address", "add", address, "dev", name)
        command("ip", "-n", space, "link", "set", name, "up")


def write_rules(path, count):
    """Rules as the agent writes them, one host and port each. The one that matches is the last."""
    with open(path, "w") as rules:
        for number in range(count - 1):
            rules.write(f"to=10.{80 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}/32,port={1024 + number % 60000},proxy-port=15001\n")
        rules.write(f"to={SERVER}/32,port=80,proxy-port=15001\n")

"""idle: keep-alive connections that ask once and then say nothing, all held through the proxy; what that costs in memory."""
import select
import socket
import time

import rules
from process import BenchError
from session import Session, check_same_work, print_machine, print_ratios, print_table

BATCH = 200  # connections opened together; more would overflow the listen queue and measure SYN retries


def run(options):
    print_machine()
    rows, costs = [], {}
    with Session(options.engines, rules.rules(), regex=False) as session:
        # The proxies need one per client and a few hundred for the origin; HAProxy keeps some for itself.
        needed = options.connections + 1000
        if session.file_limit < needed:
            raise BenchError(f"the limit of open files is {session.file_limit}, {needed} are needed: raise it (ulimit -Hn) or lower --connections")
        for engine in session.engines:
            check_same_work(engine)
            before = engine.process.memory()
            held = open_all(engine, options.connections)
            opened = engine.process.memory()
            user, system = engine.process.cpu()
            # The point of the bench: time goes by and nothing happens.
            time.sleep(options.hold)
            user_after, system_after = engine.process.cpu()
            after = engine.process.memory()
            lost = count_closed(held)
            answered = ask_again(held)
            for connection in held:
                connection.close()
            if lost or answered != options.connections:
                raise BenchError(f"{engine.name}: of {options.connections} connections {lost} were closed while idle and {answered} answered a second request")
            busy = (user_after + system_after - user - system) / options.hold
            rows.append([engine.name, options.connections, f"{before:.1f}", f"{opened:.1f}", f"{after:.1f}",
                         f"{(after - before) * 1024 / options.connections:.1f}", f"{busy:.1%}"])
            costs[engine.name] = after
    print()
    print_table(["engine", "held", "RSS before MiB", "opened", f"after {options.hold} s", "KiB/connection", "CPU while idle"], rows)
    print_ratios("idle", costs)


def request_bytes():
    method, path = rules.ALLOWED
    return f"{method} {path} HTTP/1.1\r\nHost: resources\r\nAccept: application/json\r\n\r\n".encode()


def open_all(engine, count):
    held = []
    while len(held) < count:
        batch = [socket.create_connection(("127.0.0.1", engine.port), timeout=10) for _ in range(min(BATCH, count - len(held)))]
        held += batch
        exchange(batch)
    return held


def exchange(connections):
    """Sends a request on each and reads each answer to its end. Raises when one is refused or cut short."""
    for connection in connections:
        connection.sendall(request_bytes())
    for connection in connections:
        answer = b""
        while True:
            head, separator, body = answer.partition(b"\r\n\r\n")
            if separator and not head.startswith(b"HTTP/1.1 200 "):
                raise BenchError(f"expected 200, got: {answer[:300].decode('latin-1')}")
            if separator and len(body) >= 1024:
                break
            try:
                piece = connection.recv(65536)
            except OSError as error:
                raise BenchError(f"no whole answer within 10 s ({error}); so far: {answer[:120]!r}") from error
            if not piece:
                raise BenchError(f"a connection was closed before its answer was whole: {answer[:120]!r}")
            answer += piece


def count_closed(connections):
    """An idle connection has nothing to read; one that the proxy closed is readable."""
    poller = select.poll()
    for connection in connections:
        poller.register(connection, select.POLLIN)
    return len(poller.poll(0))


def ask_again(connections):
    for start in range(0, len(connections), BATCH):
        exchange(connections[start:start + BATCH])
    return len(connections)

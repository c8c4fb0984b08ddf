"""xds: policies of N endpoints over gRPC; the first full load, then one endpoint changed at a time, then the same under load.

Measured is the time from the moment the server hands an update to its gRPC stack until the ACK of it has arrived there: the proxy ACKs
when the update is in force. The server (grpcio, on core 0) is in that time; what the proxy itself spent is its CPU per update.
Delta is the form whose cost can be independent of what did not change; state of the world carries all of it in each response.
"""
import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import time
from concurrent import futures

import wire
from engines import CLIENT_IDENTITY, CORE, ROOT, Setting, bootstrap, write
from process import BenchError, Process
from session import DRIVER_CORE, ask, free_port, print_machine, print_table

LIMIT_MS = 5.0
PREFIX = "type.googleapis.com/"
POLICY, HOSTS = PREFIX + "cilium.NetworkPolicy", PREFIX + "cilium.NetworkPolicyHosts"


def run(options):
    print_machine()
    os.sched_setaffinity(0, {DRIVER_CORE})
    rows, medians = [], {}
    for form in options.forms:
        for size in options.sizes:
            with Node(form, size) as node:
                load_ms, load_cpu = node.first_load()
                quiet, cpu = node.updates(options.updates)
                loaded, failed, requests = node.updates_under_load(options.loaded_updates)
                medians[form, size] = percentile(quiet, 50)
                rows.append([f"{form} {size}", f"{load_ms:.0f}", f"{load_cpu * 1e3:.0f}", f"{percentile(quiet, 50):.2f}", f"{percentile(quiet, 99):.2f}",
                             f"{cpu * 1e3 / options.updates:.2f}", f"{percentile(loaded, 50):.2f}", f"{percentile(loaded, 99):.2f}", requests, failed,
                             f"{node.proxy.memory():.0f}"])
    print_table(["form, endpoints", "load ms", "load CPU-ms", "change p50 ms", "p99 ms", "CPU-ms/change", "under load p50", "p99", "requests", "failed", "RSS MiB"], rows)
    for form in options.forms:
        small, large = medians[form, min(options.sizes)], medians[form, max(options.sizes)]
        print(f"ratio xds {form}-{max(options.sizes)}-over-{min(options.sizes)} {large / small:.2f}")
    if any(row[9] for row in rows):
        raise BenchError("requests failed while policy changed")
    worst = max((value for (form, _), value in medians.items() if form == "delta"), default=0)
    if worst > LIMIT_MS:
        raise BenchError(f"one changed endpoint takes {worst:.2f} ms over delta; the limit is {LIMIT_MS} ms")


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def policy(endpoint, revision, port):
    """Endpoint 1 is the one that wrk talks to; the change is in a rule beside the one it needs."""
    address = "127.0.0.1" if endpoint == 1 else f"10.{endpoint >> 16}.{endpoint >> 8 & 255}.{endpoint & 255}"

    def rule(path):
        def matcher(name, regex):
            return wire.data(1, wire.data(1, name) + wire.data(13, wire.data(5, wire.data(2, regex))))
        return wire.data(1, matcher(":method", "GET") + matcher(":path", path))
    http = wire.data(100, rule("/1k") + rule(f"/api/v1/resources/{endpoint}/items/{revision}"))
    identities = wire.data(7, wire.varint(CLIENT_IDENTITY) + wire.varint(300 + endpoint))
    ports = wire.data(3, wire.number(1, port) + wire.data(3, wire.data(5, "bench") + identities + http)) + wire.data(4, b"")
    return str(endpoint), wire.data(1, address) + wire.number(2, endpoint) + ports


class Subscription:
    """One stream: what is put into it is sent, and the request that answers it tells when."""

    def __init__(self):
        self.outbox, self.answers, self.began = queue.Queue(), queue.Queue(), 0.0

    def serve(self, requests, context):
        futures_reader = context.reader.submit(self._read, requests)
        while not futures_reader.done():
            try:
                message = self.outbox.get(timeout=1)
            except queue.Empty:
                continue
            self.began = time.perf_counter()
            yield message

    def _read(self, requests):
        for request in requests:
            self.answers.put((time.perf_counter(), request))


class Server:
    """NPDS and NPHDS in both forms, on a Unix socket."""

    def __init__(self, path):
        import grpc
        self.streams = {POLICY: queue.Queue(), HOSTS: queue.Queue()}
        self._readers = futures.ThreadPoolExecutor(max_workers=8)
        self._grpc = grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=[("grpc.max_send_message_length", -1)])
        for service, method, url in (("NetworkPolicy", "NetworkPolicies", POLICY), ("NetworkPolicyHosts", "NetworkPolicyHosts", HOSTS)):
            handler = grpc.stream_stream_rpc_method_handler(self._handler(url), request_deserializer=bytes, response_serializer=bytes)
            self._grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
                f"cilium.{service}DiscoveryService", {"Stream" + method: handler, "Delta" + method: handler}),))
        self._grpc.add_insecure_port("unix:" + path)
        self._grpc.start()

    def _handler(self, url):
        def serve(requests, context):
            stream = Subscription()
            context.reader = self._readers
            self.streams[url].put(stream)
            yield from stream.serve(requests, context)
        return serve

    def stop(self):
        self._grpc.stop(0).wait()
        self._readers.shutdown(wait=False)


class Node:
    """A proxy on core 1 whose policy comes from a Server here on core 0."""

    def __init__(self, form, size):
        self.form, self.size, self.version, self.held = form, size, 0, {}

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="postern-bench-")
        try:
            binary = os.path.join(self.folder, "origin")
            subprocess.run(["gcc", "-O2", "-Wall", "-o", binary, os.path.join(os.path.dirname(__file__), "origin.c")], check=True)
            origin_port, self.port = free_port(), free_port()
            self.origin = Process("origin", DRIVER_CORE, [binary, str(origin_port)], os.path.join(self.folder, "origin.log"), self.folder)
            self.origin.wait_for_port(origin_port)
            socket = os.path.join(self.folder, "xds.sock")
            self.server = Server(socket)
            write(self.folder, "bootstrap.json", json.dumps(self._bootstrap(origin_port, socket)))
            executable = os.path.join(ROOT, "out", "postern")
            self.proxy = Process("postern", CORE, [executable, "run", "-c", "bootstrap.json", "--observe-socket", "", "--state-dir", ""],
                                 os.path.join(self.folder, "postern.log"), self.folder)
            self.proxy.wait_for_port(self.port)
            self.hosts = self._stream(HOSTS)
            self.policies = self._stream(POLICY)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in ("proxy", "origin", "server"):
            part = getattr(self, name, None)
            if part is not None:
                part.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def first_load(self):
        identity = (str(CLIENT_IDENTITY), wire.number(1, CLIENT_IDENTITY) + wire.data(2, "127.0.0.1/32"))
        self._send(self.hosts, HOSTS, dict([identity]), dict([identity]))
        everything = dict(policy(endpoint, 0, self.port) for endpoint in range(1, self.size + 1))
        before = sum(self.proxy.cpu())
        elapsed = self._send(self.policies, POLICY, everything, everything)
        cpu = sum(self.proxy.cpu()) - before
        self.held = everything
        status, _ = ask(self.port, "GET", "/1k")
        if status != 200:
            raise BenchError(f"GET /1k should be allowed, gave {status}")
        return elapsed, cpu

    def updates(self, count):
        self._change(50)  # the first ones run unoptimised code
        before = sum(self.proxy.cpu())
        times = self._change(count)
        return times, sum(self.proxy.cpu()) - before

    def updates_under_load(self, count):
        load = subprocess.Popen(["wrk", "-t1", "-c8", "-d600s", f"http://127.0.0.1:{self.port}/1k"], stdout=subprocess.PIPE, text=True)
        try:
            time.sleep(1)
            times = self._change(count)
        finally:
            load.send_signal(2)  # wrk prints what it has
            text, _ = load.communicate()
        requests = int(re.search(r"(\d+) requests in", text).group(1))
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
        if requests == 0:
            raise BenchError("wrk got no answer:\n" + text)
        return times, (int(bad.group(1)) if bad else 0) + (sum(map(int, errors.groups())) if errors else 0), requests

    def _change(self, count):
        times = []
        for revision in range(count):
            changed = dict([policy(1 + self.version % self.size, self.version, self.port)])
            self.held.update(changed)
            times.append(self._send(self.policies, POLICY, changed, self.held))
        return times

    def _stream(self, url):
        stream = self.server.streams[url].get(timeout=20)
        stream.answers.get(timeout=20)  # the subscription itself
        return stream

    def _send(self, stream, url, changed, everything):
        """Milliseconds until the ACK. A NACK ends the bench with its text."""
        self.version += 1
        version = nonce = str(self.version)
        if self.form == "delta":
            resources = b"".join(wire.data(2, wire.data(1, version) + wire.data(2, wire.data(1, url) + wire.data(2, body)) + wire.data(3, name))
                                 for name, body in changed.items())
        else:
            resources = b"".join(wire.data(2, wire.data(1, url) + wire.data(2, body)) for body in everything.values())
        stream.outbox.put(wire.data(1, version) + resources + wire.data(4, url) + wire.data(5, nonce))
        at, request = stream.answers.get(timeout=60)
        detail = 7 if self.form == "delta" else 6
        for field, value in wire.fields(request):
            if field == detail:
                raise BenchError("the proxy refused an update: " + value.decode("utf-8", "replace"))
        return (at - stream.began) * 1e3

    def _bootstrap(self, origin_port, socket):
        config = bootstrap(Setting(self.folder, self.port, origin_port, []), "")
        config["node"]["id"] = "host~127.0.0.1~no-id~localdomain"
        source = {"resource_api_version": "V3", "api_config_source": {
            "api_type": "DELTA_GRPC" if self.form == "delta" else "GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": True,
            "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}]}}
        listener = config["static_resources"]["listeners"][0]
        listener["listener_filters"][0]["typed_config"]["cilium_config_source"] = source
        options = PREFIX + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        config["static_resources"]["clusters"].append({
            "name": "xds", "type": "STATIC", "connect_timeout": "2s",
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": options, "explicit_http_config": {"http2_protocol_options": {}}}},
            "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": socket}}}}]}]}})
        return config

#!/usr/bin/env python3
"""An xDS server on a foreign gRPC stack (grpcio), for tests: all services, state of the world and delta, apart and aggregated.

It knows no message but the discovery ones, which it reads and writes by hand; resources come from the test as bytes. Commands are
JSON lines on standard input, events JSON lines on standard output.

  {"do": "publish", "type": URL, "resources": {NAME: BASE64}, "version": TEXT?}   the whole state of a type; sent where it differs
  {"do": "raw", "type": URL, "response": BASE64}    these bytes as a DiscoveryResponse, to every stream that wants the type
  {"do": "break"}                                   ends all streams with UNAVAILABLE
  {"do": "mute", "on": true|false}                  takes requests and answers none

With --cilium it behaves as Cilium's agent: version and nonce are the same number, the first LDS answer waits for an ACK of CDS, and a
request without news waits.
"""
import argparse
import base64
import json
import os
import queue
import sys
import threading
from concurrent import futures

import grpc

PREFIX = "type.googleapis.com/"
SERVICES = {
    "envoy.service.listener.v3.ListenerDiscoveryService": ("Listeners", "envoy.config.listener.v3.Listener"),
    "envoy.service.cluster.v3.ClusterDiscoveryService": ("Clusters", "envoy.config.cluster.v3.Cluster"),
    "envoy.service.route.v3.RouteDiscoveryService": ("Routes", "envoy.config.route.v3.RouteConfiguration"),
    "envoy.service.endpoint.v3.EndpointDiscoveryService": ("Endpoints", "envoy.config.endpoint.v3.ClusterLoadAssignment"),
    "envoy.service.secret.v3.SecretDiscoveryService": ("Secrets", "envoy.extensions.transport_sockets.tls.v3.Secret"),
    "cilium.NetworkPolicyDiscoveryService": ("NetworkPolicies", "cilium.NetworkPolicy"),
    "cilium.NetworkPolicyHostsDiscoveryService": ("NetworkPolicyHosts", "cilium.NetworkPolicyHosts"),
}
ADS = "envoy.service.discovery.v3.AggregatedDiscoveryService"
LDS = PREFIX + "envoy.config.listener.v3.Listener"
CDS = PREFIX + "envoy.config.cluster.v3.Cluster"
FULL_SET = {LDS, CDS, PREFIX + "cilium.NetworkPolicy", PREFIX + "cilium.NetworkPolicyHosts"}


def varint(number):
    out = bytearray()
    while True:
        low = number & 0x7F
        number >>= 7
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def field(number, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(number << 3 | 2) + varint(len(data)) + data


def parse(data):
    """Fields in order as (number, value); value is bytes or an int."""
    at = 0

    def number():
        nonlocal at
        shift = result = 0
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return result

    while at < len(data):
        tag = number()
        wire = tag & 7
        if wire == 0:
            yield tag >> 3, number()
        elif wire == 2:
            size = number()
            yield tag >> 3, data[at:at + size]
            at += size
        elif wire == 1:
            yield tag >> 3, data[at:at + 8]
            at += 8
        elif wire == 5:
            yield tag >> 3, data[at:at + 4]
            at += 4
        else:
            raise ValueError("wire type %d" % wire)


def status(data):
    code, message, details = 0, "", []
    for key, value in parse(data):
        if key == 1:
            code = value
        elif key == 2:
            message = value.decode()
        elif key == 3:
            details.append(base64.b64encode(value).decode())
    return {"code": code, "message": message, "details": details}


def node_id(data):
    return next((value.decode() for key, value in parse(data) if key == 1), "")


class Out:
    lock = threading.Lock()

    @classmethod
    def event(cls, **values):
        with cls.lock:
            sys.stdout.write(json.dumps(values) + "\n")
            sys.stdout.flush()


class World:
    """What is published, and the streams that hear of it."""

    def __init__(self, cilium):
        self.lock = threading.Condition()
        self.cilium = cilium
        self.types = {}
        self.streams = set()
        self.muted = False
        self.cluster_acked = False

    def state(self, url):
        return self.types.setdefault(url, {"number": 0, "version": "", "resources": {}, "versions": {}})

    def publish(self, url, resources, version):
        with self.lock:
            state = self.state(url)
            state["number"] += 1
            state["version"] = version or str(state["number"])
            for name, data in resources.items():
                if state["resources"].get(name) != data:
                    state["versions"][name] = state["version"]
            state["resources"] = resources
            for stream in self.streams:
                stream.wake()

    def each(self, act):
        with self.lock:
            for stream in list(self.streams):
                act(stream)


class Stream:
    count = 0

    def __init__(self, world, method, url, delta, context):
        Stream.count += 1
        self.id, self.world, self.method, self.url, self.delta, self.context = Stream.count, world, method, url, delta, context
        self.inbox = queue.Queue()
        self.subscribed = {}
        self.nonces = 0
        self.node = None

    def wake(self):
        self.inbox.put(("wake", None))

    def run(self, requests):
        Out.event(event="open", stream=self.id, method=self.method)
        reader = threading.Thread(target=self.read, args=(requests,), daemon=True)
        with self.world.lock:
            self.world.streams.add(self)
        reader.start()
        why = "end"
        try:
            while True:
                kind, value = self.inbox.get()
                if kind == "end":
                    why = value
                    return
                if kind == "break":
                    why = "break"
                    self.context.abort(grpc.StatusCode.UNAVAILABLE, "the test broke the stream")
                if kind == "raw":
                    yield value
                if kind == "request":
                    self.take(value)
                if self.world.muted:
                    continue
                yield from self.news()
        finally:
            with self.world.lock:
                self.world.streams.discard(self)
            Out.event(event="close", stream=self.id, method=self.method, why=why)

    def read(self, requests):
        try:
            for request in requests:
                self.inbox.put(("request", request))
            self.inbox.put(("end", "half-closed"))
        except Exception as error:  # the client went
            self.inbox.put(("end", type(error).__name__))

    def take(self, data):
        seen = {"version": "", "names": [], "nonce": "", "error": None, "type": "", "subscribe": [], "unsubscribe": [], "initial": {}}
        numbers = ({1: "node", 2: "type", 3: "subscribe", 4: "unsubscribe", 5: "initial", 6: "nonce", 7: "error"} if self.delta
                   else {1: "version", 2: "node", 3: "names", 4: "type", 5: "nonce", 6: "error"})
        node = None
        for key, value in parse(data):
            name = numbers.get(key)
            if name == "node":
                node = self.node = node_id(value)
            elif name in ("names", "subscribe", "unsubscribe"):
                seen[name].append(value.decode())
            elif name == "initial":
                pair = dict(parse(value))
                seen["initial"][pair[1].decode()] = pair.get(2, b"").decode()
            elif name == "error":
                seen["error"] = status(value)
            elif name:
                seen[name] = value.decode()
        url = seen["type"] or self.url
        Out.event(event="request", stream=self.id, method=self.method, node=node, **{**seen, "type": url})
        at = self.subscribed.get(url)
        first = at is None
        if first:
            at = self.subscribed[url] = {"names": set(), "wildcard": False, "sent": None, "held": dict(seen["initial"]), "pending": "", "first": True}
        if seen["error"] is None and seen["nonce"] and seen["nonce"] == at["pending"] and url == CDS:
            with self.world.lock:
                self.world.cluster_acked = True
                for stream in self.world.streams:
                    stream.wake()
        if seen["nonce"] == at["pending"]:
            at["pending"] = ""
        if self.delta:
            at["names"] |= set(seen["subscribe"])
            at["names"] -= set(seen["unsubscribe"])
            for name in seen["unsubscribe"]:
                at["held"].pop(name, None)
            at["wildcard"] = at["wildcard"] or (first and not seen["subscribe"]) or "*" in seen["subscribe"]
            at["asked"] = set(seen["subscribe"])
        else:
            at["names"] = set(seen["names"])
            at["wildcard"] = not seen["names"]
            if first and self.world.cilium and seen["version"]:
                with self.world.lock:
                    state = self.world.state(url)
                    state["number"] = max(state["number"], int(seen["version"]) + 1)
                    state["version"] = str(state["number"])
            if not first and at["names"] != at.get("last") and not self.world.cilium:
                at["sent"] = None
            at["last"] = set(at["names"])

    def news(self):
        for url, at in list(self.subscribed.items()):
            if at["pending"]:
                continue
            with self.world.lock:
                if url == LDS and self.world.cilium and not self.world.cluster_acked:
                    continue
                state = self.world.state(url)
                if state["number"] == 0:
                    continue
                wanted = {n: d for n, d in state["resources"].items() if at["wildcard"] or n in at["names"]}
                version, versions = state["version"], dict(state["versions"])
            self.nonces += 1
            nonce = version if self.world.cilium else "%d.%d" % (self.id, self.nonces)
            if self.delta:
                changed = {n: d for n, d in wanted.items() if at["held"].get(n) != versions[n]}
                gone = [n for n in at["held"] if n not in wanted]
                missing = [n for n in at.pop("asked", ()) if n != "*" and n not in state["resources"]]
                if not changed and not gone and not missing and not (at["first"] and at["wildcard"]):
                    continue
                at["held"] = {n: versions[n] for n in wanted}
                body = field(1, version) + field(4, url) + field(5, nonce)
                for name, data in changed.items():
                    body += field(2, field(1, versions[name]) + field(2, field(1, url) + field(2, data)) + field(3, name))
                for name in set(gone + missing):
                    body += field(6, name)
            else:
                if at["sent"] == version:
                    continue
                if not at["wildcard"] and not wanted:
                    continue
                body = field(1, version) + b"".join(field(2, field(1, url) + field(2, d)) for d in wanted.values()) + field(4, url) + field(5, nonce)
            at["sent"], at["pending"], at["first"] = version, nonce, False
            Out.event(event="send", stream=self.id, type=url, version=version, nonce=nonce, count=len(wanted))
            yield body


def raw(data):
    return data


def handlers(world):
    def method(name, url, delta):
        def serve(requests, context):
            yield from Stream(world, name, url, delta, context).run(requests)
        return grpc.stream_stream_rpc_method_handler(serve, request_deserializer=raw, response_serializer=raw)

    for service, (suffix, message) in SERVICES.items():
        url = PREFIX + message
        yield grpc.method_handlers_generic_handler(service, {
            "Stream" + suffix: method("Stream" + suffix, url, False), "Delta" + suffix: method("Delta" + suffix, url, True)})
    yield grpc.method_handlers_generic_handler(ADS, {
        "StreamAggregatedResources": method("ads", "", False), "DeltaAggregatedResources": method("delta-ads", "", True)})


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--listen", required=True, help="unix:PATH or HOST:PORT")
    options.add_argument("--cilium", action="store_true")
    options = options.parse_args()
    world = World(options.cilium)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=200), options=[("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(tuple(handlers(world)))
    server.add_insecure_port(options.listen)
    server.start()
    Out.event(event="ready", pid=os.getpid())
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "publish":
            resources = {name: base64.b64decode(data) for name, data in command["resources"].items()}
            world.publish(command["type"], resources, command.get("version"))
        elif command["do"] == "raw":
            data = base64.b64decode(command["response"])
            world.each(lambda s: s.inbox.put(("raw", data)) if command["type"] in s.subscribed else None)
        elif command["do"] == "break":
            world.each(lambda s: s.inbox.put(("break", None)))
        elif command["do"] == "mute":
            world.muted = command["on"]
            world.each(lambda s: s.wake())
    os._exit(0)


if __name__ == "__main__":
    main()

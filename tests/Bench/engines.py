"""The proxies under test: each gets a folder for its files, a port, and the rules; each does the same work.

The same work: an ordinary reverse proxy on a loopback port, connections to the origin kept alive, the rules walked for each request
(method and path, anything else answered 403), and a line per request that really reaches a file.
"""
import json
import os

import rules
from process import BenchError, Process

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORE = 1
CLIENT_IDENTITY = 20001


def start(name, folder, port, origin_port, rule_list, regex):
    """Starts one engine on core 1 and returns its Engine once it listens."""
    engine_class = ENGINES.get(name)
    if engine_class is None:
        raise BenchError(f"no engine '{name}'; there are {', '.join(ENGINES)}")
    folder = os.path.join(folder, name)
    os.makedirs(folder)
    engine = engine_class(folder, port, origin_port, rule_list, regex)
    engine.process.wait_for_port(port)
    return engine


class Engine:
    """Base: where its process, its port and its log are."""

    def __init__(self, folder, port, argv, log):
        self.name, self.port, self.log = type(self).__name__.lower(), port, log
        self.process = Process(self.name, CORE, argv, os.path.join(folder, "stdout.log"), folder)

    def empty_log(self):
        """Between rounds, so that a long run does not fill the disk. Only for logs opened for appending."""
        if os.path.exists(self.log):
            os.truncate(self.log, 0)

    def log_size(self):
        return os.path.getsize(self.log) if os.path.exists(self.log) else 0


class Haproxy(Engine):
    def __init__(self, folder, port, origin_port, rule_list, regex):
        match = "-m reg" if regex else "-m str"
        allow = "\n".join(
            f"  http-request allow if {{ method {method} }} {{ path {match} {anchored(path, regex)} }}" for method, path in rule_list)
        write(folder, "haproxy.cfg", f"""
global
  nbthread 1
  # The default reckons with one connection to the origin per client; here they are shared.
  no strict-limits
  maxconn 11000
  log stdout format raw local0 info
defaults
  mode http
  log global
  option httplog
  option http-keep-alive
  http-reuse always
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
frontend under_test
  bind 127.0.0.1:{port} backlog 4096
  maxconn 11000
{allow}
  http-request deny deny_status 403
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin_port} maxconn 11000 pool-max-conn 4096
""")
        # Its log is its standard output, which is a file: a write() per request.
        super().__init__(folder, port, ["haproxy", "-f", "haproxy.cfg", "-db"], os.path.join(folder, "stdout.log"))


class Nginx(Engine):
    def __init__(self, folder, port, origin_port, rule_list, regex):
        modifier = "~" if regex else "="
        by_path = {}
        for method, path in rule_list:
            by_path.setdefault(path, []).append(method)
        locations = "\n".join(
            f"    location {modifier} {anchored(path, regex)} {{ limit_except {' '.join(methods)} {{ deny all; }} proxy_pass http://origin; }}"
            for path, methods in by_path.items())
        write(folder, "nginx.conf", f"""
user root;
daemon off;
pid nginx.pid;
error_log stderr error;
worker_processes 1;
events {{ worker_connections 12000; }}
http {{
  client_body_temp_path tmp-body; proxy_temp_path tmp-proxy; fastcgi_temp_path tmp-fastcgi; uwsgi_temp_path tmp-uwsgi; scgi_temp_path tmp-scgi;
  log_format line '$remote_addr:$remote_port [$time_local] $server_name $upstream_addr $request_time $upstream_response_time $status $bytes_sent "$request"';
  access_log access.log line buffer=64k flush=1s;
  keepalive_timeout 1h; keepalive_requests 1000000000;
  client_header_timeout 1h; client_max_body_size 0;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
  proxy_request_buffering off; proxy_max_temp_file_size 0;
  upstream origin {{ server 127.0.0.1:{origin_port}; keepalive 512; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
{locations}
    location / {{ return 403; }}
  }}
}}
""")
        super().__init__(folder, port, ["nginx", "-p", folder, "-c", "nginx.conf", "-e", "stderr"], os.path.join(folder, "access.log"))


class Postern(Engine):
    def __init__(self, folder, port, origin_port, rule_list, regex):
        del regex  # Cilium's agent sends every method and path as safe_regex; the engine sees for itself what is literal
        write(folder, "policy.json", json.dumps(policy(port, rule_list), indent=1))
        write(folder, "bootstrap.json", json.dumps(bootstrap(port, origin_port, os.path.join(folder, "policy.json")), indent=1))
        executable = os.path.join(ROOT, "out", "postern")
        if not os.access(executable, os.X_OK):
            raise BenchError("out/postern is missing; run ./build.sh, or leave it out with --engines haproxy,nginx")
        records = os.path.join(folder, "records.json")
        super().__init__(folder, port, [executable, "run", "-c", "bootstrap.json", "--record-json", records, "--observe-socket", os.path.join(folder, "observe.sock")], records)

    def empty_log(self):
        """Postern rotates its records itself; an emptied file under its feet would not measure what users get."""


def policy(port, rule_list):
    """What a Cilium agent sends for the endpoint at 127.0.0.1, as a DiscoveryResponse."""
    def header(name, regex):
        return {"name": name, "string_match": {"safe_regex": {"regex": regex}}}
    http_rules = [{"headers": [header(":method", method), header(":path", path)]} for method, path in rule_list]
    any_port = [{"port": 0}]
    return {
        "version_info": "1",
        "resources": [
            {
                "@type": "type.googleapis.com/cilium.NetworkPolicy",
                "endpoint_ips": ["127.0.0.1"],
                "endpoint_id": 1,
                "ingress_per_port_policies": [
                    {"port": port, "rules": [{"name": "bench", "remote_policies": [CLIENT_IDENTITY], "http_rules": {"http_rules": http_rules}}]}],
                "egress_per_port_policies": any_port,
            },
            {"@type": "type.googleapis.com/cilium.NetworkPolicyHosts", "policy": CLIENT_IDENTITY, "host_addresses": ["127.0.0.1/32"]},
        ],
    }


def bootstrap(port, origin_port, policy_path):
    envoy = "type.googleapis.com/envoy.extensions.filters."
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    origin = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": origin_port}}}}
    metadata = {
        "@type": "type.googleapis.com/cilium.BpfMetadata", "is_ingress": True, "use_nphds": True, "proxy_id": port,
        "cilium_config_source": {"path_config_source": {"path": policy_path}},
    }
    manager = {
        "@type": envoy + "network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "http_filters": [
            {"name": "cilium.l7policy", "typed_config": {"@type": "type.googleapis.com/cilium.L7Policy"}},
            {"name": "envoy.filters.http.router", "typed_config": {"@type": envoy + "http.router.v3.Router"}},
        ],
        "route_config": {"name": "bench", "virtual_hosts": [
            {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}]}]},
    }
    return {
        "node": {"id": "bench", "cluster": "bench"},
        "static_resources": {
            "listeners": [{
                "name": "bench",
                "address": address,
                "listener_filters": [{"name": "cilium.bpf_metadata", "typed_config": metadata}],
                "filter_chains": [{"filters": [
                    {"name": "cilium.network", "typed_config": {"@type": "type.googleapis.com/cilium.NetworkFilter"}},
                    {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager},
                ]}],
            }],
            "clusters": [{
                "name": "origin", "type": "STATIC", "connect_timeout": "2s",
                "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [origin]}]},
            }],
        },
    }


def anchored(path, regex):
    return f"^{path}$" if regex else path


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


ENGINES = {"postern": Postern, "haproxy": Haproxy, "nginx": Nginx}

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


class Setting:
    """What an engine is configured for: rules, ports, and the way to speak: "http1"; "h2": HTTP/2 without TLS on both sides; "tls": HTTP/1.1, towards clients in TLS 1.3."""

    def __init__(self, folder, port, origin_port, rule_list, regex=False, way="http1", certificate=None):
        self.folder, self.port, self.origin_port, self.rules, self.regex = folder, port, origin_port, rule_list, regex
        self.way, self.certificate = way, certificate  # certificate: paths of (chain, key)


def start(name, setting):
    """Starts one engine on core 1 and returns its Engine once it listens."""
    engine_class = ENGINES.get(name)
    if engine_class is None:
        raise BenchError(f"no engine '{name}'; there are {', '.join(ENGINES)}")
    setting.folder = os.path.join(setting.folder, name)
    os.makedirs(setting.folder)
    engine = engine_class(setting)
    engine.process.wait_for_port(setting.port)
    return engine


class Engine:
    """Base: where its process, its port and its log are."""
    enforces = True  # whether it has the rules
    compiles = False  # while it runs

    def __init__(self, setting, argv, log):
        self.name, self.port, self.log, self.way = type(self).__name__.lower(), setting.port, log, setting.way
        self.process = Process(self.name, CORE, argv, os.path.join(setting.folder, "stdout.log"), setting.folder)

    def empty_log(self):
        """Between rounds, so that a long run does not fill the disk. Only for logs opened for appending."""
        if os.path.exists(self.log):
            os.truncate(self.log, 0)

    def log_size(self):
        return os.path.getsize(self.log) if os.path.exists(self.log) else 0


class Haproxy(Engine):
    def __init__(self, setting):
        folder, port, origin_port, rule_list, regex = setting.folder, setting.port, setting.origin_port, setting.rules, setting.regex
        match = "-m reg" if regex else "-m str"
        bind = server = ""
        if setting.way == "h2":
            bind = server = " proto h2"
        elif setting.way == "tls":
            pair = os.path.join(folder, "pair.pem")
            write(folder, "pair.pem", "".join(read(path) for path in setting.certificate))
            bind = f" ssl crt {pair} ssl-min-ver TLSv1.3 alpn http/1.1"
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
  bind 127.0.0.1:{port} backlog 4096{bind}
  maxconn 11000
{allow}
  http-request deny deny_status 403
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin_port} maxconn 11000 pool-max-conn 4096{server}
""")
        # Its log is its standard output, which is a file: a write() per request.
        super().__init__(setting, ["haproxy", "-f", "haproxy.cfg", "-db"], os.path.join(folder, "stdout.log"))


class Nginx(Engine):
    def __init__(self, setting):
        folder, port, origin_port, rule_list, regex = setting.folder, setting.port, setting.origin_port, setting.rules, setting.regex
        if setting.way == "h2":
            raise BenchError("nginx speaks no HTTP/2 to its origins; compare with haproxy and nghttpx")
        tls, files = "", ""
        if setting.way == "tls":
            # A session cache of its own, as it is configured in practice; with TLS 1.3 clients hold stateless tickets all the same.
            tls, files = " ssl", (f"ssl_certificate {setting.certificate[0]}; ssl_certificate_key {setting.certificate[1]}; "
                                  "ssl_protocols TLSv1.3; ssl_session_cache shared:tls:10m; ssl_session_tickets on;")
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
    listen 127.0.0.1:{port} backlog=4096{tls};
    {files}
{locations}
    location / {{ return 403; }}
  }}
}}
""")
        super().__init__(setting, ["nginx", "-p", folder, "-c", "nginx.conf", "-e", "stderr"], os.path.join(folder, "access.log"))


class Nghttpx(Engine):
    enforces = False

    def __init__(self, setting):
        if setting.way != "h2":
            raise BenchError("nghttpx is compared over HTTP/2 only")
        origin = f"--backend=127.0.0.1,{setting.origin_port}"
        paths = ":".join(path for _, path in setting.rules)
        log = os.path.join(setting.folder, "access.log")
        super().__init__(setting, ["nghttpx", "--conf=/dev/null", "--workers=1", f"--frontend=127.0.0.1,{setting.port};no-tls", f"{origin};{paths};proto=h2", f"{origin};;proto=h2",
                                   f"--accesslog-file={log}", "--errorlog-file=/dev/stderr", "--no-ocsp"], log)


class Postern(Engine):
    compiles = True

    def __init__(self, setting):
        # Cilium's agent sends every method and path as safe_regex; the engine sees for itself what is literal
        folder, port = setting.folder, setting.port
        write(folder, "policy.json", json.dumps(policy(port, setting.rules), indent=1))
        write(folder, "bootstrap.json", json.dumps(bootstrap(setting, os.path.join(folder, "policy.json")), indent=1))
        executable = os.path.join(ROOT, "out", "postern")
        if not os.access(executable, os.X_OK):
            raise BenchError("out/postern is missing; run ./build.sh, or leave it out with --engines haproxy,nginx")
        records = os.path.join(folder, "records.json")
        super().__init__(setting, [executable, "run", "-c", "bootstrap.json", "--record-json", records, "--observe-socket", os.path.join(folder, "observe.sock")], records)

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


def bootstrap(setting, policy_path):
    port, origin_port = setting.port, setting.origin_port
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
    chain = {"filters": [
        {"name": "cilium.network", "typed_config": {"@type": "type.googleapis.com/cilium.NetworkFilter"}},
        {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager},
    ]}
    cluster = {
        "name": "origin", "type": "STATIC", "connect_timeout": "2s",
        "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [origin]}]},
    }
    if setting.way == "h2":
        cluster["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}}
    elif setting.way == "tls":
        chain_path, key_path = setting.certificate
        chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
                "alpn_protocols": ["http/1.1"],
                "tls_certificates": [{"certificate_chain": {"filename": chain_path}, "private_key": {"filename": key_path}}]}}}
    return {
        "node": {"id": "bench", "cluster": "bench"},
        "static_resources": {
            "listeners": [{
                "name": "bench",
                "address": address,
                "listener_filters": [{"name": "cilium.bpf_metadata", "typed_config": metadata}],
                "filter_chains": [chain],
            }],
            "clusters": [cluster],
        },
    }


def anchored(path, regex):
    return f"^{path}$" if regex else path


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


ENGINES = {"postern": Postern, "haproxy": Haproxy, "nginx": Nginx, "nghttpx": Nghttpx}

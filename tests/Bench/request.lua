-- What wrk sends: one fixed request with headers as a browser or SDK sends them (about 500 bytes), made once, not per request.
wrk.method = "GET"
wrk.headers["Host"] = "resources.default.svc.cluster.local"
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
wrk.headers["Accept"] = "application/json, text/plain, */*"
wrk.headers["Accept-Encoding"] = "gzip, deflate, br"
wrk.headers["Accept-Language"] = "en-GB,en;q=0.9,de;q=0.7"
wrk.headers["Authorization"] = "Bearer 6f1c0a4be9d84fd7a5f2f0c9b13d7e58a1f4c26d"
wrk.headers["Cookie"] = "session=9b2fd3b8c7e04f6e8d61; theme=dark"

-- One line for machines: requests, µs, p50 and p99 in µs, answers other than 2xx/3xx, socket errors.
done = function(summary, latency)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end

using System;
using System.Collections.Generic;
using Postern.Filters.Http;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Http1;
using Postern.Proxy.Upstream;
using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>
/// A RouteConfiguration, compiled. Virtual host by domain: exact, then the longest <c>*.suffix</c>, then the longest <c>prefix.*</c>, then <c>*</c>
/// (Envoy's order; the port in :authority counts as written). Then the first route that matches.
/// </summary>
internal sealed class RouteTable
{
    private readonly Dictionary<string, Route[]> exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(string Suffix, Route[] Routes)> suffixes = [];
    private readonly List<(string Prefix, Route[] Routes)> prefixes = [];
    private readonly Route[]? any;
    private readonly Dictionary<string, Route[]>.AlternateLookup<ReadOnlySpan<char>> exactBySpan;

    public RouteTable(RouteConfig config, Func<string, ClusterSnapshot?> clusters)
    {
        foreach (var host in config.VirtualHosts)
        {
            var routes = new Route[host.Routes.Count];
            for (var i = 0; i < routes.Length; i++)
            {
                routes[i] = new Route(host.Routes[i], clusters);
            }
            foreach (var domain in host.Domains)
            {
                if (domain == "*")
                {
                    any ??= routes;
                }
                else if (domain.StartsWith('*'))
                {
                    suffixes.Add((domain[1..], routes));
                }
                else if (domain.EndsWith('*'))
                {
                    prefixes.Add((domain[..^1], routes));
                }
                else
                {
                    exact.TryAdd(domain, routes);
                }
            }
        }
        suffixes.Sort((a, b) => b.Suffix.Length.CompareTo(a.Suffix.Length));
        prefixes.Sort((a, b) => b.Prefix.Length.CompareTo(a.Prefix.Length));
        exactBySpan = exact.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The route of a request, or null: 404.</summary>
    public Route? Match(IHttpPolicyRequest request)
    {
        if (FindHost(request.Authority) is { } routes)
        {
            foreach (var route in routes)
            {
                if (route.Matches(request))
                {
                    return route;
                }
            }
        }
        return null;
    }

    private Route[]? FindHost(ReadOnlySpan<char> authority)
    {
        if (exact.Count > 0 && exactBySpan.TryGetValue(authority, out var routes))
        {
            return routes;
        }
        foreach (var (suffix, found) in suffixes)
        {
            if (authority.Length > suffix.Length && authority.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
            {
                return found;
            }
        }
        foreach (var (prefix, found) in prefixes)
        {
            if (authority.Length > prefix.Length && authority.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return found;
            }
        }
        return any;
    }
}

/// <summary>One compiled route.</summary>
internal sealed class Route
{
    private readonly TextPattern? path; // null: connect_matcher
    private readonly RequestMatcher[] headers;
    private readonly Func<string, ClusterSnapshot?> clusters;
    private readonly bool pathWithoutQuery;
    private readonly UpgradeRules upgrades;

    public Route(RouteEntryConfig config, Func<string, ClusterSnapshot?> clusters)
    {
        Config = config;
        this.clusters = clusters;
        // A prefix counts the query string in; path and safe_regex do not (Envoy's RouteMatch).
        pathWithoutQuery = config.PathKind is StringMatchKind.Exact or StringMatchKind.SafeRegex;
        path = config.Connect ? null : TextPattern.Compile(new StringMatcherConfig(config.PathKind, config.Path, false));
        upgrades = new UpgradeRules(config.Upgrades);
        if (config.PrefixRewrite is { } rewrite && (rewrite.Length == 0 || rewrite[0] != '/'))
        {
            throw new PolicyConfigException($"prefix_rewrite \"{rewrite}\" of a route to cluster {config.Cluster} must begin with \"/\"");
        }
        headers = new RequestMatcher[config.Headers.Count];
        for (var i = 0; i < headers.Length; i++)
        {
            headers[i] = RequestMatcher.Compile(config.Headers[i]);
        }
    }

    public RouteEntryConfig Config { get; }

    /// <summary>The cluster in force now, or null: it was removed.</summary>
    public ClusterSnapshot? Cluster => clusters(Config.Cluster);

    /// <summary>Whether this request may change to that protocol: as the route says, or the listener where the route does not name it.</summary>
    public bool Allows(UpgradeRules listener, ReadOnlySpan<char> protocol) => upgrades.AllowsOver(listener, protocol);

    /// <summary>How long this request with its answer may take, from its head on; null for as long as it likes.</summary>
    /// <param name="request">For its grpc-timeout, where the route reads that.</param>
    /// <param name="listener">The connection manager's <c>max_stream_duration</c>.</param>
    public TimeSpan? MaxStreamDuration(IHttpPolicyRequest request, TimeSpan? listener)
    {
        if (Config.GrpcTimeoutHeaderMax is { } most && GrpcCall.IsGrpc(request) && GrpcTimeout.Find(request) is { } asked)
        {
            // 0 in the header is a client that has no time left: it gets the shortest there is, not none.
            var left = asked > Config.GrpcTimeoutHeaderOffset ? asked - Config.GrpcTimeoutHeaderOffset : asked;
            left = most > TimeSpan.Zero && left > most ? most : left;
            return left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);
        }
        var own = Config.MaxStreamDuration ?? listener;
        return own > TimeSpan.Zero ? own : null;
    }

    public bool Matches(IHttpPolicyRequest request)
    {
        if (!MatchesPath(request))
        {
            return false;
        }
        if (Config.GrpcOnly && !GrpcCall.IsGrpc(request))
        {
            return false;
        }
        foreach (var matcher in headers)
        {
            if (!matcher.Matches(request))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The target that the upstream gets when the route rewrites it, else null. The query stays.</summary>
    public string? Rewrite(RequestHead head)
    {
        if (Config.PrefixRewrite is not { } rewrite)
        {
            return null;
        }
        var target = head.Path;
        var query = target.IndexOf('?');
        var matched = Config.PathKind == StringMatchKind.Prefix ? Math.Min(Config.Path.Length, target.Length) : query < 0 ? target.Length : query;
        return string.Concat(head.TargetOrigin, rewrite, target[matched..]);
    }

    // A CONNECT has no path: only connect_matcher takes it, and that takes nothing else. (An extended CONNECT is a GET with a path by now.)
    private bool MatchesPath(IHttpPolicyRequest request)
    {
        var isConnect = request.Method.SequenceEqual("CONNECT");
        if (path is null || isConnect)
        {
            return path is null && isConnect;
        }
        var target = request.Path;
        if (pathWithoutQuery && target.IndexOf('?') is var query and >= 0)
        {
            target = target[..query];
        }
        return path.Matches(target);
    }
}

using System;
using System.Collections.Generic;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.route.v3.RouteConfiguration</c>.</summary>
internal static class Routes
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Validates a route table: names and domains are unique, every route leads to a cluster.</summary>
    public static RouteConfig ToConfig(RouteConfiguration routes, ConfigPath path)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var domains = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return new RouteConfig(routes.Name, routes.VirtualHosts.Map(path.Field("virtual_hosts"), (host, at) => VirtualHost(host, names, domains, at)));
    }

    private static VirtualHostConfig VirtualHost(VirtualHost host, HashSet<string> names, HashSet<string> domains, ConfigPath path)
    {
        if (!names.Add(TypedConfig.Required(host.Name, path.Field("name"))))
        {
            throw path.Field("name").Error($"a second virtual host named {Printable.Quote(host.Name)}");
        }
        if (host.Domains.Count == 0)
        {
            throw path.Field("domains").Error("needs at least one domain; \"*\" is any");
        }
        return new VirtualHostConfig(
            host.Name,
            host.Domains.Map(path.Field("domains"), (domain, at) => Domain(domain, domains, at)),
            host.Routes.Map(path.Field("routes"), Entry));
    }

    private static string Domain(string domain, HashSet<string> seen, ConfigPath path)
    {
        TypedConfig.Required(domain, path);
        var inner = domain.Length > 1 && domain[0] == '*' ? domain.AsSpan(1)
            : domain.Length > 1 && domain[^1] == '*' ? domain.AsSpan(0, domain.Length - 1)
            : domain == "*" ? [] : domain;
        if (inner.Contains('*'))
        {
            throw path.Error($"{Printable.Quote(domain)} has a wildcard that is neither the first nor the last character alone");
        }
        return seen.Add(domain) ? domain : throw path.Error($"the domain {Printable.Quote(domain)} stands twice in this route table");
    }

    private static RouteEntryConfig Entry(Route route, ConfigPath path)
    {
        var matchPath = path.Field("match");
        var match = route.Match ?? throw matchPath.Error("is missing; a route needs a match");
        var (kind, text) = match.PathSpecifierCase switch
        {
            RouteMatch.PathSpecifierOneofCase.Prefix => (StringMatchKind.Prefix, match.Prefix),
            RouteMatch.PathSpecifierOneofCase.Path => (StringMatchKind.Exact, match.Path),
            RouteMatch.PathSpecifierOneofCase.SafeRegex =>
                (StringMatchKind.SafeRegex, Compilable(HeaderMatchers.Regex(match.SafeRegex, matchPath.Field("safe_regex")), matchPath.Field("safe_regex"))),
            RouteMatch.PathSpecifierOneofCase.ConnectMatcher => (StringMatchKind.Exact, ""),
            _ => throw matchPath.Error("needs one of prefix, path, safe_regex or connect_matcher"),
        };
        var connect = match.ConnectMatcher is not null;
        var headers = HeaderMatchers.ToConfig(match.Headers, matchPath.Field("headers"));
        for (var i = 0; i < headers.Count; i++)
        {
            CheckCompilable(headers[i], matchPath.Field("headers").Item(i));
        }
        var actionPath = path.Field("route");
        var action = route.Route_ ?? throw actionPath.Error("is missing; a route needs a route {cluster}");
        return new RouteEntryConfig(
            route.Name,
            kind,
            text,
            headers,
            match.Grpc is not null,
            TypedConfig.Required(action.Cluster, actionPath.Field("cluster")),
            Durations.OrOff(action.Timeout, DefaultTimeout, actionPath.Field("timeout")),
            action.IdleTimeout is null ? null : Durations.ToTimeSpan(action.IdleTimeout, TimeSpan.Zero, actionPath.Field("idle_timeout")))
        {
            PrefixRewrite = PrefixRewrite(action.PrefixRewrite, connect || kind == StringMatchKind.SafeRegex, actionPath.Field("prefix_rewrite")),
            Connect = connect,
            Upgrades = Upgrades.ToConfig(action.UpgradeConfigs, actionPath.Field("upgrade_configs")),
            MaxStreamDuration = OrUnset(action.MaxStreamDuration?.MaxStreamDuration_, actionPath.Field("max_stream_duration").Field("max_stream_duration")),
            GrpcTimeoutHeaderMax = OrUnset(action.MaxStreamDuration?.GrpcTimeoutHeaderMax, actionPath.Field("max_stream_duration").Field("grpc_timeout_header_max")),
            GrpcTimeoutHeaderOffset = Durations.ToTimeSpan(
                action.MaxStreamDuration?.GrpcTimeoutHeaderOffset, TimeSpan.Zero, actionPath.Field("max_stream_duration").Field("grpc_timeout_header_offset")),
        };
    }

    private static TimeSpan? OrUnset(Duration? duration, ConfigPath path) => duration is null ? null : Durations.ToTimeSpan(duration, TimeSpan.Zero, path);

    private static string? PrefixRewrite(string text, bool nothingToReplace, ConfigPath path)
    {
        if (text.Length == 0)
        {
            return null;
        }
        if (nothingToReplace)
        {
            throw path.Error("has nothing to replace behind safe_regex or connect_matcher; match by prefix or path");
        }
        // It becomes part of a request line.
        return text[0] == '/' && text.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0 && !text.AsSpan().ContainsAny('?', '#')
            ? text
            : throw path.Error($"expected a path that begins with / and holds no space, ? or #, found {Printable.Quote(text)}");
    }

    // Tried here, so that a bad expression is refused with its line and not when the first request comes.
    private static string Compilable(StringMatcherConfig matcher, ConfigPath path)
    {
        try
        {
            TextPattern.Compile(matcher);
            return matcher.Pattern;
        }
        catch (PolicyConfigException e)
        {
            throw path.Error(Printable.Clip(e.Message));
        }
    }

    private static void CheckCompilable(HeaderMatcherConfig matcher, ConfigPath path)
    {
        try
        {
            RequestMatcher.Compile(matcher);
        }
        catch (PolicyConfigException e)
        {
            throw path.Error(Printable.Clip(e.Message));
        }
    }
}

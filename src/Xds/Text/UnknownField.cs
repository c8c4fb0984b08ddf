using System;
using System.Collections.Generic;
using System.Text;
using Google.Protobuf.Reflection;
using Postern.Xds.Fields;

namespace Postern.Xds.Text;

/// <summary>What to say about a field that is not declared: a known one that is not built in, a slip, or neither.</summary>
internal static class UnknownField
{
    private static readonly Dictionary<string, string> NotBuiltIn = new(StringComparer.Ordinal)
    {
        ["envoy.config.core.v3.Address.envoy_internal_address"] = "internal listeners are not built in; use socket_address",
        ["envoy.config.core.v3.GrpcService.google_grpc"] = "Google's gRPC client is not built in; use envoy_grpc {cluster_name}",
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.scoped_routes"] = "scoped routes are not built in; use route_config or rds",
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.access_log"] = "Envoy access loggers are not built in; records go to the access_log_path of cilium.l7policy and to the sinks of the command line",
        ["envoy.type.matcher.v3.StringMatcher.custom"] = "custom matchers are not built in; use exact, prefix, suffix, contains or safe_regex",
    };

    /// <summary>One line for the error.</summary>
    public static string Explain(MessageDescriptor type, string name, MessageFields fields)
    {
        var original = Original(name);
        if (NotBuiltIn.TryGetValue(type.FullName + "." + original, out var hint))
        {
            return hint;
        }
        if (PublicFields.Find(type.FullName, original) is { } known)
        {
            return known.Use == FieldUse.Ignored
                ? $"{name} of {type.FullName} has no effect here; remove it"
                : $"{name} of {type.FullName} is not built in yet; remove it (docs/config.md lists what is honoured)";
        }
        var near = NearMiss.Find(name, fields.Names);
        var mend = near is null ? "remove it; docs/config.md lists what is honoured" : $"did you mean {Printable.Quote(near)}?";
        return $"unknown field {Printable.Quote(name)} of {type.FullName}; {mend}";
    }

    // access_log for accessLog.
    private static string Original(string name)
    {
        var text = new StringBuilder();
        foreach (var c in name)
        {
            text.Append(char.IsAsciiLetterUpper(c) ? "_" : "").Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }
}

using System;
using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>What a connection manager wants taken off a request's authority.</summary>
/// <param name="Ports"><c>strip_matching_host_port</c>, <c>strip_any_host_port</c>.</param>
/// <param name="Dots"><c>strip_trailing_host_dot</c>.</param>
internal readonly record struct HostRules(HostPortStripping Ports, bool Dots)
{
    /// <summary>Whether anything is asked for.</summary>
    public bool AskForAnything => Dots || Ports != HostPortStripping.None;

    /// <summary>Applies them.</summary>
    /// <param name="authority">Host and perhaps port.</param>
    /// <param name="localPort">That the client connected to.</param>
    /// <param name="result">At least as long as the authority.</param>
    /// <returns>Length of the result; that of the authority when nothing is taken off.</returns>
    public int Apply(ReadOnlySpan<char> authority, int localPort, Span<char> result)
    {
        var colon = authority.LastIndexOf(':');
        // Also false for the last colon of an IPv6 address, which a bracket follows.
        var hasPort = colon > 0 && ushort.TryParse(authority[(colon + 1)..], System.Globalization.NumberStyles.None, null, out _);
        var host = hasPort ? authority[..colon] : authority;
        var port = hasPort ? authority[colon..] : default;
        if (Dots && host.Length > 1 && host[^1] == '.')
        {
            host = host[..^1];
        }
        if (hasPort && (Ports == HostPortStripping.Any || (Ports == HostPortStripping.Matching && ushort.Parse(port[1..]) == localPort)))
        {
            port = default;
        }
        host.CopyTo(result);
        port.CopyTo(result[host.Length..]);
        return host.Length + port.Length;
    }
}

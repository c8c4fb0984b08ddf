using System;

namespace Postern.Policy;

/// <summary>Compiled rules of one port (range) of one endpoint and direction.</summary>
public sealed class PortPolicy
{
    /// <summary>Used when the endpoint has no policy: denies everything with <see cref="PolicyReason.NoPolicyForEndpoint"/>.</summary>
    public static readonly PortPolicy NoPolicy = new();

    /// <summary>True when some rule of the port has http_rules, so that requests must be judged one by one.</summary>
    public bool HasHttpRules => throw new NotImplementedException();

    /// <summary>Network level: proxy_id, identity and SNI.</summary>
    /// <param name="remoteIdentity">Identity of the remote side.</param>
    /// <param name="sni">Server name the client sent, empty for none.</param>
    /// <param name="proxyId">The listener's proxy_id.</param>
    public PolicyVerdict EvaluateNetwork(uint remoteIdentity, ReadOnlySpan<char> sni, uint proxyId) => throw new NotImplementedException();

    /// <summary>HTTP level: does not look at SNI. Allowed when no rule of the port has http_rules. Header actions run on <paramref name="request"/>.</summary>
    /// <param name="remoteIdentity">Identity of the remote side.</param>
    /// <param name="proxyId">The listener's proxy_id.</param>
    /// <param name="request">The request; header_matches may change it, also when it is finally denied.</param>
    /// <param name="secrets">SDS values for value_sds_secret.</param>
    /// <param name="log">Collects missing and rejected headers for the record; reused per connection, the caller clears it.</param>
    public PolicyVerdict EvaluateHttp(uint remoteIdentity, uint proxyId, IHttpPolicyRequest request, ISecretSource secrets, HeaderMatchLog log) => throw new NotImplementedException();
}

namespace Postern.Proxy.Stats;

/// <summary>Stats of policy as such.</summary>
internal sealed class PolicyStats
{
    public PolicyStats(StatsRegistry registry)
    {
        var scope = registry.Acquire(new ScopeName("cilium", "cilium", []));
        AccessDenied = scope.Counter("access_denied");
        Updates = scope.Counter("policy.updates_total");
        UpdatesRejected = scope.Counter("policy.updates_rejected");
        TlsContextMissing = scope.Counter("policy.tls_wrapper_missing_policy");
        HostUpdates = scope.Counter("hostmap.update_success");
    }

    /// <summary>Requests and connections that policy refused, wherever.</summary>
    public Counter AccessDenied { get; }

    /// <summary>Updates of network policies, accepted or not.</summary>
    public Counter Updates { get; }

    public Counter UpdatesRejected { get; }

    /// <summary>Connections closed because the TLS context that policy gives them has no usable secret yet, or policy gives them nothing at all.</summary>
    public Counter TlsContextMissing { get; }

    /// <summary>Accepted updates of host identities.</summary>
    public Counter HostUpdates { get; }
}

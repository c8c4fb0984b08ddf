using System.Collections.Generic;
using Postern.Policy.Config;

namespace Postern.Policy.Compile;

/// <summary>How many rules have each TLS context, by content. Immutable: an update that touches none keeps the object.</summary>
internal sealed class TlsUse
{
    public static readonly TlsUse None = new([]);

    private readonly Dictionary<(TlsSide Side, TlsContextConfig Context), int> counts;

    private TlsUse(Dictionary<(TlsSide Side, TlsContextConfig Context), int> counts) => this.counts = counts;

    public IReadOnlyCollection<(TlsSide Side, TlsContextConfig Context)> Contexts => counts.Keys;

    public TlsUse Change(IEnumerable<NetworkPolicyConfig> gone, IEnumerable<NetworkPolicyConfig> come)
    {
        Dictionary<(TlsSide Side, TlsContextConfig Context), int>? next = null;
        foreach (var (policies, step) in new[] { (gone, -1), (come, 1) })
        {
            foreach (var policy in policies)
            {
                foreach (var context in ContextsOf(policy))
                {
                    next ??= new Dictionary<(TlsSide Side, TlsContextConfig Context), int>(counts);
                    var count = next.GetValueOrDefault(context) + step;
                    if (count == 0)
                    {
                        next.Remove(context);
                    }
                    else
                    {
                        next[context] = count;
                    }
                }
            }
        }
        return next is null ? this : new TlsUse(next);
    }

    private static IEnumerable<(TlsSide Side, TlsContextConfig Context)> ContextsOf(NetworkPolicyConfig policy)
    {
        foreach (var entries in new[] { policy.Ingress, policy.Egress })
        {
            foreach (var entry in entries)
            {
                foreach (var rule in entry.Rules)
                {
                    if (rule.DownstreamTlsContext is { } downstream)
                    {
                        yield return (TlsSide.Downstream, downstream);
                    }
                    if (rule.UpstreamTlsContext is { } upstream)
                    {
                        yield return (TlsSide.Upstream, upstream);
                    }
                }
            }
        }
    }
}

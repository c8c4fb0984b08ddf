using System;
using System.Collections.Generic;
using System.Text;
using Postern.Policy;
using Postern.Proxy.Admin;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>
/// Secrets of the bootstrap and by SDS. Generic ones: those that the policies in force refer to; a rotated one applies to the next request, one that is
/// missing makes its header match fail. Those of TLS: what each context names, on the same subscriptions.
/// </summary>
internal sealed class SecretCache : ISecretSource
{
    private readonly ISubscriber subscriber;
    private readonly ChangeGate gate;
    private readonly NamedResources<SecretConfig> discovered;
    private readonly IReadOnlyList<SecretConfig> fixedSecrets;
    private readonly Dictionary<string, string> fixedOnes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NamedResource<SecretConfig>> held = new(StringComparer.Ordinal);
    private readonly Action changed;
    private volatile Dictionary<string, string> values;

    public SecretCache(ISubscriber subscriber, ChangeGate gate, IReadOnlyList<SecretConfig> fixedSecrets)
    {
        this.subscriber = subscriber;
        this.gate = gate;
        this.fixedSecrets = fixedSecrets;
        discovered = new NamedResources<SecretConfig>(ResourceType.Secret, subscriber, gate, static config => (SecretConfig)config);
        changed = Publish;
        foreach (var secret in fixedSecrets)
        {
            if (secret is GenericSecretConfig generic)
            {
                fixedOnes[generic.Name] = Text(generic);
            }
        }
        values = fixedOnes;
    }

    public string? FindGenericSecret(string name) => values.GetValueOrDefault(name);

    /// <summary>Subscribes to exactly these names, but for those of the bootstrap.</summary>
    public void Use(ConfigSourceConfig? source, IReadOnlyCollection<string> names)
    {
        lock (gate.Lock)
        {
            if (source is null)
            {
                return;
            }
            using (subscriber.Pause(ResourceType.Secret))
            {
                var old = new Dictionary<string, NamedResource<SecretConfig>>(held, StringComparer.Ordinal);
                held.Clear();
                foreach (var name in names)
                {
                    if (!fixedOnes.ContainsKey(name))
                    {
                        held[name] = discovered.Hold(name, source, changed);
                    }
                }
                foreach (var (_, resource) in old)
                {
                    discovered.Release(resource, changed);
                }
            }
            Publish();
        }
    }

    /// <summary>Whether the bootstrap has a secret of that name, of whatever kind.</summary>
    public bool IsFixed(string name)
    {
        foreach (var secret in fixedSecrets)
        {
            if (string.Equals(secret.Name, name, StringComparison.Ordinal))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The secrets that a TLS context names; to be disposed with it.</summary>
    public TlsSecrets HoldTls(CommonTlsConfig common, Action whenChanged) => new(discovered, fixedSecrets, gate, common, whenChanged);

    public void ReadStatus(List<ResourceStatus> into) => discovered.ReadStatus(into);

    private void Publish()
    {
        var next = new Dictionary<string, string>(fixedOnes, StringComparer.Ordinal);
        foreach (var (name, resource) in held)
        {
            if (resource.Value is GenericSecretConfig generic)
            {
                next[name] = Text(generic);
            }
        }
        values = next;
    }

    // One char per byte, as header values are read.
    private static string Text(GenericSecretConfig secret) => Encoding.Latin1.GetString(secret.Secret.Span);
}

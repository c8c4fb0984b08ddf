using System;
using System.Collections.Generic;
using Postern.Xds.Config;

namespace Postern.Proxy.Discovery;

/// <summary>
/// The secrets that one TLS context names, subscribed as long as it is there. <see cref="Find"/> is the seam to the slot of the context
/// (<see cref="Tls.TlsContextSlot{TContext}"/>), whose refresh is what <c>changed</c> should call.
/// </summary>
internal sealed class TlsSecrets : IDisposable
{
    private readonly NamedResources<SecretConfig> discovered;
    private readonly IReadOnlyList<SecretConfig> fixedSecrets;
    private readonly ChangeGate gate;
    private readonly Action changed;
    private readonly Dictionary<SecretReferenceConfig, NamedResource<SecretConfig>> held = [];

    /// <param name="discovered">Shared, so that contexts that name one secret have one subscription.</param>
    /// <param name="fixedSecrets">Of the bootstrap.</param>
    /// <param name="gate">Guards <paramref name="discovered"/>.</param>
    /// <param name="common">Names the secrets.</param>
    /// <param name="changed">Called under the gate when one comes or changes, which may be before the constructor returns.</param>
    public TlsSecrets(NamedResources<SecretConfig> discovered, IReadOnlyList<SecretConfig> fixedSecrets, ChangeGate gate, CommonTlsConfig common, Action changed)
    {
        this.discovered = discovered;
        this.fixedSecrets = fixedSecrets;
        this.gate = gate;
        this.changed = changed;
        lock (gate.Lock)
        {
            foreach (var reference in common.CertificateSecrets)
            {
                Hold(reference);
            }
            if (common.ValidationSecret is { } validation)
            {
                Hold(validation);
            }
        }
    }

    /// <summary>What is known of a secret now; null while it has not come.</summary>
    public SecretConfig? Find(SecretReferenceConfig reference)
    {
        if (reference.Source is not null)
        {
            return held.TryGetValue(reference, out var resource) ? resource.Value : null;
        }
        foreach (var secret in fixedSecrets)
        {
            if (string.Equals(secret.Name, reference.Name, StringComparison.Ordinal))
            {
                return secret;
            }
        }
        return null;
    }

    /// <summary>Ends the subscriptions that nobody else needs.</summary>
    public void Dispose()
    {
        lock (gate.Lock)
        {
            foreach (var (_, resource) in held)
            {
                discovered.Release(resource, changed);
            }
            held.Clear();
        }
    }

    private void Hold(SecretReferenceConfig reference)
    {
        if (reference.Source is { } source && !held.ContainsKey(reference))
        {
            held.Add(reference, discovered.Hold(reference.Name, source, changed));
        }
    }
}

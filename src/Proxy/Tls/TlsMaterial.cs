using System;
using System.Collections.Generic;
using Postern.Policy.Config;
using Postern.Xds.Config;

namespace Postern.Proxy.Tls;

/// <summary>
/// What a <see cref="CommonTlsConfig"/> comes to once the secrets that it names are there. Compares by content, so that an update that changes
/// nothing keeps the context, and with it its sessions.
/// </summary>
/// <param name="Certificates">In the order of the configuration.</param>
/// <param name="Validation">Null where the peer is not asked for a certificate.</param>
internal sealed record TlsMaterial(EquatableList<TlsCertificateConfig> Certificates, ValidationContextConfig? Validation)
{
    /// <summary>Null with a problem where a secret is missing or of another kind.</summary>
    public static TlsMaterial? TryResolve(CommonTlsConfig common, Func<SecretReferenceConfig, SecretConfig?> find, out TlsProblem? problem)
    {
        var certificates = new List<TlsCertificateConfig>(common.Certificates);
        foreach (var reference in common.CertificateSecrets)
        {
            if (Find<TlsCertificateConfig>(reference, find, "tls_certificate", out problem) is not { } certificate)
            {
                return null;
            }
            certificates.Add(certificate);
        }
        var validation = common.Validation;
        if (common.ValidationSecret is { } secret)
        {
            if (Find<ValidationContextConfig>(secret, find, "validation_context", out problem) is not { } brought)
            {
                return null;
            }
            validation = validation?.Merge(brought) ?? brought;
        }
        problem = null;
        return new TlsMaterial(certificates.ToEquatableList(), validation);
    }

    private static T? Find<T>(SecretReferenceConfig reference, Func<SecretReferenceConfig, SecretConfig?> find, string kind, out TlsProblem? problem)
        where T : SecretConfig
    {
        var found = find(reference);
        problem = found switch
        {
            T => null,
            null => new TlsProblem(reference.Name, kind, reference.Source is { } source
                ? $"has not come yet from {source}"
                : "is not among static_resources.secrets; add it there, or write sds_config") { IsAbsence = true },
            _ => new TlsProblem(reference.Name, kind, "the secret is of another kind; send this one under its name"),
        };
        return found as T;
    }
}

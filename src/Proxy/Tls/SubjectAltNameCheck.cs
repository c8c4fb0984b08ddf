using System;
using System.Collections.Generic;
using System.Security.Cryptography.X509Certificates;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Xds.Config;

namespace Postern.Proxy.Tls;

/// <summary><c>match_typed_subject_alt_names</c>, compiled. Immutable.</summary>
internal sealed class SubjectAltNameCheck
{
    private readonly (SubjectAltNameConfig Config, TextPattern Pattern)[] matchers;

    /// <exception cref="PolicyConfigException">An expression is refused; the configuration has been checked for it.</exception>
    public SubjectAltNameCheck(EquatableList<SubjectAltNameConfig> configs)
    {
        matchers = new (SubjectAltNameConfig, TextPattern)[configs.Count];
        for (var i = 0; i < matchers.Length; i++)
        {
            matchers[i] = (configs[i], TextPattern.Compile(configs[i].Matcher));
        }
    }

    public bool IsEmpty => matchers.Length == 0;

    /// <summary>Whether a name of the certificate is one of those wanted.</summary>
    public bool Accepts(X509Certificate2 certificate)
    {
        if (SubjectAltNames.Read(certificate) is not { } names)
        {
            return false;
        }
        foreach (var (kind, text) in names)
        {
            foreach (var (config, pattern) in matchers)
            {
                if (kind == config.Kind && (pattern.Matches(text) || IsHost(config, text)))
                {
                    return true;
                }
            }
        }
        return false;
    }

    // An exact DNS matcher names a host, as in Envoy: case does not count, and the certificate may be for *.its-domain.
    private static bool IsHost(SubjectAltNameConfig config, string name) =>
        config is { Kind: SubjectAltNameKind.Dns, Matcher: { Kind: StringMatchKind.Exact, Pattern: var host } } && Covers(name, host);

    /// <summary>Whether a DNS name of a certificate, perhaps <c>*.domain</c>, is for the host.</summary>
    public static bool Covers(string name, string host)
    {
        if (string.Equals(name, host, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }
        var dot = host.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && name.StartsWith("*.", StringComparison.Ordinal) && name.AsSpan(1).Equals(host.AsSpan(dot), StringComparison.OrdinalIgnoreCase);
    }
}

using System;
using System.Collections.Frozen;
using Google.Protobuf.Reflection;

namespace Postern.Proxy.Admin.Dump;

/// <summary>Which fields no dump may show. Envoy marks them in its definitions; ours are named here.</summary>
internal static class SecretFields
{
    /// <summary>What stands in the place of a secret.</summary>
    public const string Mask = "[redacted]";

    // By name in whatever message, so that a message that is added later is covered as well.
    private static readonly FrozenSet<string> Anywhere =
        FrozenSet.ToFrozenSet(["private_key", "private_key_provider", "password", "pkcs12", "token", "inline_key", "hmac_secret", "token_secret"], StringComparer.Ordinal);

    private static readonly FrozenSet<string> ByFullName = FrozenSet.ToFrozenSet(
        [
            "envoy.extensions.transport_sockets.tls.v3.GenericSecret.secret",
            "envoy.extensions.transport_sockets.tls.v3.GenericSecret.secrets",
            "envoy.extensions.transport_sockets.tls.v3.TlsSessionTicketKeys.keys",
        ],
        StringComparer.Ordinal);

    /// <summary>Everything in the field is to be masked.</summary>
    public static bool Contains(FieldDescriptor field) => Anywhere.Contains(field.Name) || ByFullName.Contains(field.FullName);
}

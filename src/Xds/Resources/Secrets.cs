using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.extensions.transport_sockets.tls.v3.Secret</c>. What is wrong is said without a byte of the content.</summary>
internal static class Secrets
{
    private const int TicketKeyBytes = 80;

    /// <summary>Validates a secret.</summary>
    public static SecretConfig ToConfig(Secret secret, ConfigPath path)
    {
        var name = TypedConfig.Required(secret.Name, path.Field("name"));
        switch (secret.TypeCase)
        {
            case Secret.TypeOneofCase.GenericSecret:
                path = path.Field("generic_secret").Field("secret");
                return new GenericSecretConfig(name, DataSources.Read(secret.GenericSecret.Secret, path));
            case Secret.TypeOneofCase.TlsCertificate:
                return TlsCertificates.ToConfig(secret.TlsCertificate, name, path.Field("tls_certificate"));
            case Secret.TypeOneofCase.ValidationContext:
                return ValidationContexts.ToConfig(secret.ValidationContext, name, path.Field("validation_context"));
            case Secret.TypeOneofCase.SessionTicketKeys:
                var keys = secret.SessionTicketKeys.Keys.Map(path.Field("session_ticket_keys").Field("keys"), TicketKey);
                return keys.Count > 0
                    ? new SessionTicketKeysConfig(name, keys)
                    : throw path.Field("session_ticket_keys").Field("keys").Error("needs at least one key");
            default:
                throw path.Error("needs one of tls_certificate, validation_context, generic_secret or session_ticket_keys");
        }
    }

    private static ByteString TicketKey(Envoy.Config.Core.V3.DataSource source, ConfigPath path)
    {
        var key = DataSources.Read(source, path);
        return key.Length == TicketKeyBytes ? key : throw path.Error($"has {key.Length} bytes instead of {TicketKeyBytes}");
    }
}

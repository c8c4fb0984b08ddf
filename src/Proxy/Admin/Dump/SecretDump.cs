using System.Text.Json;

namespace Postern.Proxy.Admin.Dump;

/// <summary>A secret in a dump: shown only when it could be decoded, so that what is secret in it is known and masked.</summary>
internal static class SecretDump
{
    /// <summary>Writes the object under <c>secret</c>.</summary>
    public static void Write(Utf8JsonWriter json, ResourceStatus resource)
    {
        if (resource.Source is { } source && MessageJson.TryUnpack(source) is not null)
        {
            MessageJson.WriteAny(json, source);
            return;
        }
        WriteMasked(json, resource.Name);
    }

    /// <summary>A secret of which nothing but the name is shown.</summary>
    public static void WriteMasked(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject();
        json.WriteString("@type", Xds.Discovery.ResourceType.Secret.TypeUrl);
        json.WriteString("name", name);
        json.WriteString("postern_not_shown", SecretFields.Mask);
        json.WriteEndObject();
    }
}

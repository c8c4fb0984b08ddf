using Cilium;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Discovery;
using Postern.Xds.Fields;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>Resources from a control plane's bytes, each judged on its own. Paths of errors are relative to the resource. Thread-safe.</summary>
public sealed class ResourceDecoder(DecodeOptions options) : IResourceDecoder
{
    /// <inheritdoc/>
    public DecodedResource Decode(ResourceType type, Any resource, string wrapperName)
    {
        var path = ConfigPath.Empty;
        if (resource.TypeUrl[(resource.TypeUrl.LastIndexOf('/') + 1)..] != type.TypeUrl[(type.TypeUrl.LastIndexOf('/') + 1)..])
        {
            throw path.Field("@type").Error($"expected {type.TypeUrl}, found {Printable.Quote(resource.TypeUrl)}");
        }
        if (resource.Value.Length > options.MaxResourceBytes)
        {
            throw path.Error($"{resource.Value.Length} bytes are more than the bound of {options.MaxResourceBytes}");
        }
        var scan = WireScan.Check(resource.Value, TypedConfig.TypeOf(resource, path), path, options);
        var message = TypedConfig.Unpack(resource, path);
        if (message is NetworkPolicy policy)
        {
            OldIdentities.Merge(policy, scan.Identities);
        }
        var (name, config) = ResourceMessages.ToConfig(message, wrapperName, path);
        return new DecodedResource(name, config, scan.Warnings);
    }
}

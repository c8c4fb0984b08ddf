using Envoy.Service.Discovery.V3;

namespace Postern.Xds.Discovery.Protocol;

/// <summary><c>DeltaDiscoveryResponse</c>. Aliases are passed over: the types that have them are not ours.</summary>
internal static class DeltaResponses
{
    public static ReceivedResponse Read(DeltaDiscoveryResponse response, bool isFullSet)
    {
        var resources = new ReceivedResource[response.Resources.Count];
        for (var i = 0; i < resources.Length; i++)
        {
            var wrapper = response.Resources[i];
            var ok = ResourceTtl.TryRead(wrapper.Ttl, out var ttl);
            resources[i] = new ReceivedResource(wrapper.Name, wrapper.Version, wrapper.Resource_, ttl)
            {
                HasOwnVersion = true,
                Problem = ok ? null : "ttl must be greater than 0",
            };
        }
        return new ReceivedResponse(response.SystemVersionInfo, isFullSet, resources, [.. response.RemovedResources])
        {
            Errors = ResourceErrors.Read(response.ResourceErrors),
        };
    }
}

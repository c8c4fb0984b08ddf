using System;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Protocol;

/// <summary><c>DiscoveryResponse</c>: takes resources out of their wrappers.</summary>
internal static class SotwResponses
{
    private const string WrapperUrl = "type.googleapis.com/envoy.service.discovery.v3.Resource";

    /// <param name="response">As received.</param>
    /// <param name="type">Of the state it is for.</param>
    /// <param name="heldVersion">Last accepted version.</param>
    public static ReceivedResponse Read(DiscoveryResponse response, ResourceType type, string heldVersion)
    {
        var isOfHeldVersion = heldVersion.Length > 0 && response.VersionInfo == heldVersion;
        var resources = new ReceivedResource[response.Resources.Count];
        for (var i = 0; i < resources.Length; i++)
        {
            var any = response.Resources[i];
            resources[i] = any.TypeUrl == WrapperUrl
                ? Unwrap(any, response.VersionInfo, i) with { IsOfHeldVersion = isOfHeldVersion }
                : new ReceivedResource("", response.VersionInfo, any, null);
        }
        return new ReceivedResponse(response.VersionInfo, type.IsFullSet, resources, [])
        {
            Errors = ResourceErrors.Read(response.ResourceErrors),
        };
    }

    private static ReceivedResource Unwrap(Any any, string version, int index)
    {
        Resource wrapper;
        try
        {
            wrapper = Resource.Parser.ParseFrom(any.Value);
        }
        catch (InvalidProtocolBufferException e)
        {
            return new ReceivedResource("", version, null, null) { Problem = $"resources[{index}] is not a valid envoy.service.discovery.v3.Resource: {Printable.Clip(e.Message)}" };
        }
        var ok = ResourceTtl.TryRead(wrapper.Ttl, out var ttl);
        return new ReceivedResource(wrapper.Name, wrapper.Version.Length > 0 ? wrapper.Version : version, wrapper.Resource_, ttl)
        {
            HasOwnVersion = wrapper.Version.Length > 0,
            Problem = ok ? null : "ttl must be greater than 0",
        };
    }
}

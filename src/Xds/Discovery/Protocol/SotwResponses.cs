using System.Collections;
using System.Collections.Generic;
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
        return new ReceivedResponse(response.VersionInfo, type.IsFullSet, new View(response, isOfHeldVersion), [])
        {
            Errors = ResourceErrors.Read(response.ResourceErrors),
        };
    }

    // Each is looked at once: no list of 10,000 of them is made.
    private sealed class View(DiscoveryResponse response, bool isOfHeldVersion) : IReadOnlyList<ReceivedResource>
    {
        public int Count => response.Resources.Count;

        public ReceivedResource this[int index]
        {
            get
            {
                var any = response.Resources[index];
                return any.TypeUrl == WrapperUrl
                    ? Unwrap(any, response.VersionInfo, index) with { IsOfHeldVersion = isOfHeldVersion }
                    : new ReceivedResource("", response.VersionInfo, any, null);
            }
        }

        public IEnumerator<ReceivedResource> GetEnumerator()
        {
            for (var i = 0; i < Count; i++)
            {
                yield return this[i];
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
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

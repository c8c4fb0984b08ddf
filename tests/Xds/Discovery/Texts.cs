using System;
using System.Collections.Generic;
using System.Linq;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds.Discovery;

/// <summary>Resources that are texts <c>NAME=VALUE</c>; a value of <c>bad</c> is refused.</summary>
internal sealed class Texts : IResourceDecoder
{
    public int Decoded { get; private set; }

    public DecodedResource Decode(ResourceType type, Any resource, string wrapperName)
    {
        Decoded++;
        var parts = resource.Value.ToStringUtf8().Split('=');
        var value = parts[^1];
        return value switch
        {
            "bad" => throw new XdsConfigException("value", $"'bad' of {parts[0]} is not good; write good"),
            "bug" => throw new InvalidOperationException("a bug"),
            _ => new DecodedResource(parts[0], value, value == "odd" ? ["odd was passed over"] : []),
        };
    }

    public static Any Any(ResourceType type, string text) => new() { TypeUrl = type.TypeUrl, Value = ByteString.CopyFromUtf8(text) };

    public static DiscoveryResponse Sotw(ResourceType type, string version, string nonce, params string[] texts)
    {
        var response = new DiscoveryResponse { TypeUrl = type.TypeUrl, VersionInfo = version, Nonce = nonce };
        response.Resources.AddRange(texts.Select(text => Any(type, text)));
        return response;
    }

    public static Any Wrap(ResourceType type, string name, string? text, int ttlSeconds = 0, string version = "") => new()
    {
        TypeUrl = "type.googleapis.com/envoy.service.discovery.v3.Resource",
        Value = Resource(type, name, version, text, ttlSeconds).ToByteString(),
    };

    public static Resource Resource(ResourceType type, string name, string version, string? text, int ttlSeconds = 0)
    {
        var resource = new Resource { Name = name, Version = version };
        if (text is not null)
        {
            resource.Resource_ = Any(type, text);
        }
        if (ttlSeconds > 0)
        {
            resource.Ttl = new Duration { Seconds = ttlSeconds };
        }
        return resource;
    }

    /// <summary>Texts are <c>NAME=VALUE</c>; the resources have the version of the response.</summary>
    public static DeltaDiscoveryResponse Delta(ResourceType type, string version, string nonce, string[] texts, params string[] removed)
    {
        var response = new DeltaDiscoveryResponse { TypeUrl = type.TypeUrl, SystemVersionInfo = version, Nonce = nonce };
        response.Resources.AddRange(texts.Select(text => Resource(type, text.Split('=')[0], version, text)));
        response.RemovedResources.AddRange(removed);
        return response;
    }
}

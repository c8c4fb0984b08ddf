using System;
using System.Collections.Generic;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds;
using Postern.Xds.Discovery;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>Bytes of a resource are a number, and the number leads back to the record.</summary>
internal sealed class FakeDecoder : IResourceDecoder
{
    private static readonly List<object> Known = [];

    public static Any Wrap(ResourceType type, object config)
    {
        lock (Known)
        {
            Known.Add(config);
            return new Any { TypeUrl = type.TypeUrl, Value = ByteString.CopyFromUtf8((Known.Count - 1).ToString(CultureInfo.InvariantCulture)) };
        }
    }

    public DecodedResource Decode(ResourceType type, Any resource, string wrapperName)
    {
        lock (Known)
        {
            return int.TryParse(resource.Value.ToStringUtf8(), out var number) && number < Known.Count
                ? new DecodedResource(wrapperName, Known[number], [])
                : throw new XdsConfigException("value", "is no number");
        }
    }
}

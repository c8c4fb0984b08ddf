using System.Globalization;
using Google.Protobuf;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>The name of a resource that cannot be decoded, as far as the bytes give it: an error should say whose it is.</summary>
internal static class ResourceNames
{
    /// <summary>Empty when the bytes do not say.</summary>
    public static string Peek(ResourceType type, ByteString value)
    {
        // NetworkPolicy.endpoint_id = 2 and NetworkPolicyHosts.policy = 1 are numbers; of all others field 1 is the name.
        var field = type == ResourceType.NetworkPolicy ? 2 : 1;
        var isNumber = type == ResourceType.NetworkPolicy || type == ResourceType.NetworkPolicyHosts;
        try
        {
            using var input = value.CreateCodedInput();
            uint tag;
            while ((tag = input.ReadTag()) != 0)
            {
                if (WireFormat.GetTagFieldNumber(tag) != field)
                {
                    input.SkipLastField();
                }
                else if (isNumber && WireFormat.GetTagWireType(tag) == WireFormat.WireType.Varint)
                {
                    return input.ReadUInt64().ToString(CultureInfo.InvariantCulture);
                }
                else
                {
                    return !isNumber && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited ? input.ReadString() : "";
                }
            }
        }
        catch (InvalidProtocolBufferException)
        {
            // Not readable that far; the error that led here says why.
        }
        return "";
    }
}

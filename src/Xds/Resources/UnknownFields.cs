using Google.Protobuf;
using Google.Protobuf.Reflection;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>
/// Finds fields of an encoded message that are not declared. The generated parsers keep such fields silently; a rule that a later
/// control plane narrows by a new field would then apply without it. A known number with another wire type counts as unknown: that
/// is how a list of identities from before 2025 looks in place of pass_precedence.
/// </summary>
internal static class UnknownFields
{
    private const int MaxDepth = 64;

    /// <summary>Throws when there is one; <paramref name="path"/> is that of the message. Malformed bytes throw what the parser throws.</summary>
    public static void Check(ByteString bytes, MessageDescriptor type, ConfigPath path) => Check(bytes, type, path, 0);

    private static void Check(ByteString bytes, MessageDescriptor type, ConfigPath path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw path.Error($"nested deeper than {MaxDepth} levels");
        }
        using var input = bytes.CreateCodedInput();
        uint tag;
        while ((tag = input.ReadTag()) != 0)
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            var wire = WireFormat.GetTagWireType(tag);
            var field = type.FindFieldByNumber(number);
            if (field is null || !Fits(field, wire))
            {
                throw path.Error($"unknown field number {number} (wire type {wire}) of {type.FullName}; the control plane speaks a version that this proxy does not know");
            }
            if (field.FieldType == FieldType.Message)
            {
                Check(input.ReadBytes(), field.MessageType, path.Field(field.Name), depth + 1);
            }
            else
            {
                input.SkipLastField();
            }
        }
    }

    private static bool Fits(FieldDescriptor field, WireFormat.WireType wire)
    {
        var own = field.FieldType switch
        {
            FieldType.Message or FieldType.String or FieldType.Bytes => WireFormat.WireType.LengthDelimited,
            FieldType.Double or FieldType.Fixed64 or FieldType.SFixed64 => WireFormat.WireType.Fixed64,
            FieldType.Float or FieldType.Fixed32 or FieldType.SFixed32 => WireFormat.WireType.Fixed32,
            FieldType.Group => WireFormat.WireType.StartGroup,
            _ => WireFormat.WireType.Varint,
        };
        // Repeated numbers come packed or one by one.
        return wire == own || (field.IsRepeated && wire == WireFormat.WireType.LengthDelimited && own != WireFormat.WireType.StartGroup);
    }
}

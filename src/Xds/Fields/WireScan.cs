using System;
using System.Collections.Generic;
using System.Text.Unicode;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Xds.Fields;

/// <summary>
/// Judges every field of an encoded resource before it is parsed, inside <c>Any</c>s too. The generated parsers keep a field that is not
/// declared and say nothing; a rule that a later control plane narrows by a new field would then apply without it.
/// </summary>
internal sealed class WireScan
{
    private const int MaxDepth = 64;
    private const int MaxWarnings = 20;
    private const int OldIdentities = 1; // of PortNetworkPolicyRule

    private readonly DecodeOptions options;
    private readonly List<string> warnings = [];

    private WireScan(DecodeOptions options) => this.options = options;

    /// <summary>One line for each field that was passed over.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    /// <summary>Lists of identities in the form from before 2025, by the path of their rule.</summary>
    public Dictionary<string, List<uint>> Identities { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads all of it.</summary>
    /// <exception cref="XdsConfigException">Malformed, too deep, or a field that must not be passed over.</exception>
    public static WireScan Check(ByteString bytes, MessageDescriptor type, ConfigPath path, DecodeOptions options)
    {
        var scan = new WireScan(options);
        scan.Check(bytes.Span, MessageShape.Of(type), false, path, 0);
        return scan;
    }

    private void Check(ReadOnlySpan<byte> bytes, MessageShape shape, bool security, ConfigPath path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw path.Error($"nested deeper than {MaxDepth} levels");
        }
        security |= shape.IsSecurity;
        Span<int> counts = stackalloc int[shape.FieldCount];
        var oneofs = 0UL;
        var reader = new WireReader(bytes);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var number, out var wire))
            {
                throw Malformed(shape, path);
            }
            var field = shape.Find(number);
            if (field is null || !field.Fits(wire))
            {
                if (shape.Type == Cilium.PortNetworkPolicyRule.Descriptor && number == OldIdentities && wire == WireFormat.WireType.LengthDelimited)
                {
                    ReadIdentities(ref reader, shape, path);
                    continue;
                }
                if (!reader.TrySkip(wire))
                {
                    throw Malformed(shape, path);
                }
                PassOver(shape.Type, number, wire, field is not null, security, path);
                continue;
            }
            var index = counts[field.Ordinal]++;
            if (index > 0 && !field.Field.IsRepeated && (field.Field.FieldType == FieldType.Message || security))
            {
                throw path.Field(field.Field.Name).Error("stands twice in the message, where one value is allowed");
            }
            if (security && field.Field.RealContainingOneof is { } oneof && (oneofs & (1UL << oneof.Index)) != 0)
            {
                throw path.Field(field.Field.Name).Error($"another member of oneof {oneof.Name} is set too");
            }
            oneofs |= field.Field.RealContainingOneof is { } set ? 1UL << set.Index : 0;
            if (wire != WireFormat.WireType.LengthDelimited)
            {
                if (!reader.TrySkip(wire))
                {
                    throw Malformed(shape, path);
                }
                continue;
            }
            if (!reader.TryReadBytes(out var value))
            {
                throw Malformed(shape, path);
            }
            CheckValue(value, field.Field, index, security, path, depth);
        }
    }

    private void CheckValue(ReadOnlySpan<byte> value, FieldDescriptor field, int index, bool security, ConfigPath path, int depth)
    {
        if (field.FieldType is not (FieldType.Message or FieldType.String))
        {
            return;
        }
        if (field.FieldType == FieldType.String)
        {
            if (!Utf8.IsValid(value))
            {
                throw path.Field(field.Name).Error("is not UTF-8");
            }
            return;
        }
        path = path.Field(field.Name);
        path = field.IsRepeated && !field.IsMap ? path.Item(index) : path;
        Check(value, MessageShape.Of(field.MessageType), security, path, depth + 1);
        if (field.MessageType == Any.Descriptor)
        {
            var any = Any.Parser.ParseFrom(value);
            var type = TypedConfig.TypeOf(any, path);
            Check(any.Value.Span, MessageShape.Of(type), security, path, depth + 1);
        }
    }

    private void PassOver(MessageDescriptor type, int number, WireFormat.WireType wire, bool wrongWire, bool security, ConfigPath path)
    {
        if (PublicFields.Find(type.FullName, number) is { } known)
        {
            if (security || known.Use == FieldUse.Refused)
            {
                throw path.Field(known.Name).Error($"{known.Name} of {type.FullName} is not built in yet; remove it (docs/config.md lists what is honoured)");
            }
            Warn($"field {known.Name} of {type.FullName} is read over", path.Field(known.Name));
            return;
        }
        var what = wrongWire
            ? $"field number {number} of {type.FullName} has the wrong wire type {wire}"
            : $"unknown field number {number} (wire type {wire}) of {type.FullName}";
        if (security ? !options.WarnOnUnknownSecurityFields : wrongWire || options.RejectUnknownDynamicFields)
        {
            throw path.Error(what + "; the control plane speaks a version that this proxy does not know");
        }
        Warn(what + " is read over; the control plane speaks a version that this proxy does not know", path);
    }

    // Until 2025 field 1 was "repeated uint64", which proto3 packs; the varint in its place today is pass_precedence.
    private void ReadIdentities(ref WireReader reader, MessageShape shape, ConfigPath path)
    {
        if (!reader.TryReadBytes(out var packed))
        {
            throw Malformed(shape, path);
        }
        var key = path.ToString();
        if (!Identities.TryGetValue(key, out var list))
        {
            Identities.Add(key, list = []);
        }
        var values = new WireReader(packed);
        while (!values.AtEnd)
        {
            if (!values.TryReadVarint(out var identity))
            {
                throw Malformed(shape, path);
            }
            list.Add(identity <= uint.MaxValue
                ? (uint)identity
                : throw path.Error($"{identity} in deprecated_remote_policies_64 (1) is no identity: it is above {uint.MaxValue}"));
        }
    }

    private void Warn(string text, ConfigPath path)
    {
        if (warnings.Count == MaxWarnings)
        {
            warnings.Add("more fields are read over");
        }
        if (warnings.Count < MaxWarnings)
        {
            var at = path.ToString();
            warnings.Add(at.Length == 0 ? text : $"{at}: {text}");
        }
    }

    private static XdsConfigException Malformed(MessageShape shape, ConfigPath path) =>
        path.Error($"not a valid {shape.Type.FullName}: the bytes are cut off or malformed");
}

using System;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Generic;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Postern.Xds.Fields;

/// <summary>What the bytes of a message may hold: its declared fields by number. Made once per type.</summary>
internal sealed class MessageShape
{
    // In these and in everything below them no field may be passed over: it could be the one that narrows a permission.
    private static readonly string[] SecurityPrefixes =
    [
        "cilium.", "envoy.extensions.transport_sockets.tls.", "envoy.config.rbac.", "envoy.extensions.filters.network.rbac.",
        "envoy.extensions.filters.http.rbac.",
    ];

    private static readonly ConcurrentDictionary<MessageDescriptor, MessageShape> Cache = new();

    private readonly FrozenDictionary<int, FieldShape> byNumber;

    private MessageShape(MessageDescriptor type)
    {
        Type = type;
        IsSecurity = Array.Exists(SecurityPrefixes, p => type.FullName.StartsWith(p, StringComparison.Ordinal));
        var fields = new Dictionary<int, FieldShape>();
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            fields.Add(field.FieldNumber, new FieldShape(field, fields.Count));
        }
        byNumber = fields.ToFrozenDictionary();
    }

    /// <summary>The message.</summary>
    public MessageDescriptor Type { get; }

    /// <summary>Whether an unknown field in it is an error.</summary>
    public bool IsSecurity { get; }

    /// <summary>How many are declared.</summary>
    public int FieldCount => byNumber.Count;

    /// <summary>Of a type.</summary>
    public static MessageShape Of(MessageDescriptor type) => Cache.GetOrAdd(type, static t => new MessageShape(t));

    /// <summary>By number, or null.</summary>
    public FieldShape? Find(int number) => byNumber.GetValueOrDefault(number);
}

/// <summary>One declared field.</summary>
internal sealed class FieldShape
{
    private readonly WireFormat.WireType own;
    private readonly bool packable;

    public FieldShape(FieldDescriptor field, int ordinal)
    {
        Field = field;
        Ordinal = ordinal;
        own = field.FieldType switch
        {
            FieldType.Message or FieldType.String or FieldType.Bytes => WireFormat.WireType.LengthDelimited,
            FieldType.Double or FieldType.Fixed64 or FieldType.SFixed64 => WireFormat.WireType.Fixed64,
            FieldType.Float or FieldType.Fixed32 or FieldType.SFixed32 => WireFormat.WireType.Fixed32,
            FieldType.Group => WireFormat.WireType.StartGroup,
            _ => WireFormat.WireType.Varint,
        };
        packable = field.IsRepeated && own is not (WireFormat.WireType.LengthDelimited or WireFormat.WireType.StartGroup);
    }

    /// <summary>The field.</summary>
    public FieldDescriptor Field { get; }

    /// <summary>Position among the declared fields.</summary>
    public int Ordinal { get; }

    /// <summary>Whether a value may come so; repeated numbers come packed or one by one.</summary>
    public bool Fits(WireFormat.WireType wire) => wire == own || (packable && wire == WireFormat.WireType.LengthDelimited);
}

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf.Reflection;

namespace Postern.Xds.Text;

/// <summary>The fields of a message by both spellings the JSON mapping allows: the original name and lowerCamelCase.</summary>
internal sealed class MessageFields
{
    private static readonly ConcurrentDictionary<MessageDescriptor, MessageFields> Cache = new();

    private readonly Dictionary<string, FieldDescriptor> byName = new(StringComparer.Ordinal);

    private MessageFields(MessageDescriptor type)
    {
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            byName[field.Name] = field;
            byName[field.JsonName] = field;
        }
    }

    /// <summary>All spellings.</summary>
    public IEnumerable<string> Names => byName.Keys;

    /// <summary>Of a type; made once.</summary>
    public static MessageFields Of(MessageDescriptor type) => Cache.GetOrAdd(type, static t => new MessageFields(t));

    /// <summary>By either spelling.</summary>
    public bool TryFind(string name, [NotNullWhen(true)] out FieldDescriptor? field) => byName.TryGetValue(name, out field);
}

using System;
using System.Collections;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Proxy.Admin.Dump;

/// <summary>
/// Writes a message in protobuf's JSON form with the names of the definition, secrets masked. Other than the library's own formatter it goes
/// on where an <c>Any</c> holds a message without a definition: it says so, and shows nothing of the content, which may be a key.
/// </summary>
internal static class MessageJson
{
    private const int MaxDepth = 64; // each Any begins anew for the parser, so the writer counts

    /// <summary>Writes an object with <c>@type</c> in front.</summary>
    public static void WriteAny(Utf8JsonWriter json, Any any) => WriteAny(json, any, 0, isSecret: false);

    /// <summary>Writes an object.</summary>
    public static void WriteMessage(Utf8JsonWriter json, IMessage message) => WriteMessage(json, message, 0, isSecret: false);

    /// <summary>Writes the fields only, into an object that is open.</summary>
    public static void WriteFields(Utf8JsonWriter json, IMessage message) => WriteFields(json, message, 0, isSecret: false);

    /// <summary>The message in an <c>Any</c>, or null when it is unknown or broken.</summary>
    public static IMessage? TryUnpack(Any any)
    {
        try
        {
            return KnownMessages.Find(any.TypeUrl)?.Parser.ParseFrom(any.Value);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static void WriteAny(Utf8JsonWriter json, Any any, int depth, bool isSecret)
    {
        json.WriteStartObject();
        json.WriteString("@type", any.TypeUrl);
        var message = depth < MaxDepth ? TryUnpack(any) : null;
        if (message is null)
        {
            json.WriteString("postern_not_shown", $"{any.Value.Length} bytes of a message that this version has no definition of");
        }
        else if (IsWellKnown(message.Descriptor))
        {
            json.WritePropertyName("value");
            WriteMessage(json, message, depth + 1, isSecret);
        }
        else
        {
            WriteFields(json, message, depth + 1, isSecret);
        }
        json.WriteEndObject();
    }

    private static void WriteMessage(Utf8JsonWriter json, IMessage message, int depth, bool isSecret)
    {
        if (message is Any any)
        {
            WriteAny(json, any, depth, isSecret);
        }
        else if (IsWellKnown(message.Descriptor))
        {
            WriteWellKnown(json, message, isSecret);
        }
        else
        {
            json.WriteStartObject();
            WriteFields(json, message, depth, isSecret);
            json.WriteEndObject();
        }
    }

    // Durations, times, wrappers and the like have forms of their own, which the library knows.
    private static void WriteWellKnown(Utf8JsonWriter json, IMessage message, bool isSecret)
    {
        if (isSecret)
        {
            json.WriteStringValue(SecretFields.Mask);
            return;
        }
        try
        {
            json.WriteRawValue(JsonFormatter.Default.Format(message));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or JsonException)
        {
            json.WriteStringValue("postern_not_shown: out of range"); // a Duration of too many seconds has no JSON form
        }
    }

    private static void WriteFields(Utf8JsonWriter json, IMessage message, int depth, bool isSecret)
    {
        if (depth > MaxDepth)
        {
            json.WriteString("postern_not_shown", "nested too deeply");
            return;
        }
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            var value = field.Accessor.GetValue(message);
            if (IsAbsent(field, message, value))
            {
                continue;
            }
            var masked = isSecret || SecretFields.Contains(field);
            json.WritePropertyName(field.Name);
            if (field.IsMap)
            {
                WriteMap(json, field, (IDictionary)value, depth, masked);
            }
            else if (field.IsRepeated)
            {
                json.WriteStartArray();
                foreach (var item in (IList)value)
                {
                    WriteValue(json, field, item, depth, masked);
                }
                json.WriteEndArray();
            }
            else
            {
                WriteValue(json, field, value, depth, masked);
            }
        }
    }

    private static bool IsAbsent(FieldDescriptor field, IMessage message, object? value)
    {
        if (field.IsMap || field.IsRepeated)
        {
            return ((ICollection)value!).Count == 0;
        }
        return field.HasPresence ? !field.Accessor.HasValue(message) : ProtoScalars.IsDefault(value);
    }

    private static void WriteMap(Utf8JsonWriter json, FieldDescriptor field, IDictionary map, int depth, bool isSecret)
    {
        var valueField = field.MessageType.FindFieldByNumber(2);
        json.WriteStartObject();
        foreach (DictionaryEntry entry in map)
        {
            json.WritePropertyName(Convert.ToString(entry.Key, System.Globalization.CultureInfo.InvariantCulture) ?? "");
            WriteValue(json, valueField, entry.Value, depth, isSecret);
        }
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, FieldDescriptor field, object? value, int depth, bool isSecret)
    {
        if (value is IMessage message)
        {
            WriteMessage(json, message, depth + 1, isSecret);
        }
        else if (isSecret)
        {
            json.WriteStringValue(field.FieldType == FieldType.Bytes ? ProtoScalars.MaskedBytes : SecretFields.Mask);
        }
        else
        {
            ProtoScalars.Write(json, field, value);
        }
    }

    private static bool IsWellKnown(MessageDescriptor type) => type.File.Package == "google.protobuf" && type.File.Name.StartsWith("google/protobuf/", StringComparison.Ordinal);
}

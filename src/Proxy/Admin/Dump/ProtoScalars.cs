using System;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Postern.Proxy.Admin.Dump;

/// <summary>Values of fields in protobuf's JSON form: 64-bit numbers are strings, bytes are base64, enums are names.</summary>
internal static class ProtoScalars
{
    /// <summary>The mask as a bytes field shows it.</summary>
    public static readonly string MaskedBytes = Convert.ToBase64String(Encoding.UTF8.GetBytes(SecretFields.Mask));

    /// <summary>What proto3 does not send.</summary>
    public static bool IsDefault(object? value) => value switch
    {
        null => true,
        string text => text.Length == 0,
        ByteString bytes => bytes.IsEmpty,
        bool flag => !flag,
        double number => number == 0,
        float number => number == 0,
        Enum or int or uint or long or ulong => Convert.ToInt64(value is ulong big ? (long)big : value, CultureInfo.InvariantCulture) == 0,
        _ => false,
    };

    /// <summary>Writes one value.</summary>
    public static void Write(Utf8JsonWriter json, FieldDescriptor field, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case ByteString bytes:
                json.WriteStringValue(bytes.ToBase64());
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case int number when field.FieldType != FieldType.Enum:
                json.WriteNumberValue(number);
                break;
            case uint number:
                json.WriteNumberValue(number);
                break;
            case long or ulong:
                json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
            case float number:
                WriteReal(json, number, float.IsFinite(number));
                break;
            case double number:
                WriteReal(json, number, double.IsFinite(number));
                break;
            default:
                WriteEnum(json, field, Convert.ToInt32(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    // A number that has no name here was sent by somebody newer.
    private static void WriteEnum(Utf8JsonWriter json, FieldDescriptor field, int number)
    {
        if (field.EnumType.FindValueByNumber(number) is { } known)
        {
            json.WriteStringValue(known.Name);
        }
        else
        {
            json.WriteNumberValue(number);
        }
    }

    private static void WriteReal(Utf8JsonWriter json, double number, bool isFinite)
    {
        if (isFinite)
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteStringValue(double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        }
    }
}

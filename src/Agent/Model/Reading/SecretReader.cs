using System;
using System.Collections.Generic;
using System.Text;

namespace Postern.Agent.Model.Reading;

/// <summary>A v1 Secret. Problems name entries, never values.</summary>
internal static class SecretReader
{
    private const int MaxBytes = 1 << 20; // Kubernetes' own bound

    public static NodeObject Read(FieldCursor root, ObjectMetadata metadata)
    {
        var data = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (name, value) in root.Field("data")?.Members() ?? [])
        {
            var text = value.Text();
            var bytes = new byte[(text.Length / 4 * 3) + 3];
            if (Convert.TryFromBase64String(text, bytes, out var length))
            {
                data[name] = bytes[..length];
            }
            else
            {
                value.Refuse("is no base64");
            }
        }
        foreach (var (name, value) in root.Field("stringData")?.Members() ?? [])
        {
            data[name] = Encoding.UTF8.GetBytes(value.Text());
        }
        long size = 0;
        foreach (var value in data.Values)
        {
            size += value.Length;
        }
        if (size > MaxBytes)
        {
            root.Refuse($"holds more than {MaxBytes} bytes");
        }
        root.Ignore("type", "immutable");
        return new SecretObject(metadata.Key, metadata.Source, data);
    }
}

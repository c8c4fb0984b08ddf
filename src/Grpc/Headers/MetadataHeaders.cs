using System;
using System.Collections.Generic;

namespace Postern.Grpc.Headers;

/// <summary>Metadata as HTTP headers and back: bytes are base64, names that belong to the protocol are not metadata.</summary>
internal static class MetadataHeaders
{
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string ContentType = "application/grpc";

    private static readonly HashSet<string> OfTheTransport = new(StringComparer.OrdinalIgnoreCase)
    {
        "content-type", "content-length", "te", "trailer", "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "user-agent", "date", "server",
    };

    private static readonly HashSet<string> GrpcNamesForAll = new(StringComparer.OrdinalIgnoreCase) { "grpc-status-details-bin", "grpc-trace-bin", "grpc-tags-bin" };

    /// <summary>Whether a caller may send an entry of that name.</summary>
    public static bool IsReserved(string name) =>
        name.StartsWith(':') || OfTheTransport.Contains(name) || (name.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase) && !GrpcNamesForAll.Contains(name));

    /// <summary>The header's value. Binary is base64 without padding.</summary>
    /// <exception cref="ArgumentException">The name is reserved.</exception>
    public static string Value(Metadata.Entry entry)
    {
        if (IsReserved(entry.Key))
        {
            throw new ArgumentException($"metadata '{entry.Key}' belongs to the protocol and cannot be set");
        }
        return entry.ValueBytes is { } bytes ? Convert.ToBase64String(bytes).TrimEnd('=') : entry.Value!;
    }

    /// <summary>Takes a received header over, unless it belongs to the protocol. Bytes that are no base64 are left out.</summary>
    public static void AddReceived(Metadata metadata, string name, string value)
    {
        if (name.Equals("user-agent", StringComparison.OrdinalIgnoreCase) && Metadata.IsText(value))
        {
            metadata.Add(name, value);
            return;
        }
        if (IsReserved(name) || !Metadata.IsName(name.ToLowerInvariant()))
        {
            return;
        }
        if (!name.EndsWith("-bin", StringComparison.OrdinalIgnoreCase))
        {
            if (Metadata.IsText(value))
            {
                metadata.Add(name, value);
            }
            return;
        }
        // Values of one name may arrive joined; a comma is not in the alphabet of base64.
        foreach (var part in value.Split(','))
        {
            if (TryDecode(part.Trim(), out var bytes))
            {
                metadata.Add(name, bytes);
            }
        }
    }

    private static bool TryDecode(string text, out byte[] bytes)
    {
        var bare = text.TrimEnd('=');
        var padded = bare.PadRight((bare.Length + 3) / 4 * 4, '=');
        bytes = new byte[padded.Length / 4 * 3];
        if (!Convert.TryFromBase64String(padded, bytes, out var written))
        {
            return false;
        }
        Array.Resize(ref bytes, written);
        return true;
    }
}

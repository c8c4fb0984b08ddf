using System;

namespace Postern.Grpc.Framing;

/// <summary>Names of the encodings.</summary>
internal static class MessageEncodings
{
    /// <summary>The value of <c>grpc-accept-encoding</c>.</summary>
    public const string Accepted = "identity,gzip";

    /// <summary>An absent name is identity; false when it is not known.</summary>
    public static bool TryParse(string? name, out MessageEncoding encoding)
    {
        encoding = MessageEncoding.Identity;
        switch (name?.Trim())
        {
            case null or "" or "identity":
                return true;
            case "gzip":
                encoding = MessageEncoding.Gzip;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Whether the comma-separated list of a peer has gzip.</summary>
    public static bool AcceptsGzip(string? list)
    {
        var rest = list.AsSpan();
        foreach (var range in rest.Split(','))
        {
            if (rest[range].Trim().SequenceEqual("gzip"))
            {
                return true;
            }
        }
        return false;
    }
}

using System;
using System.Globalization;
using Postern.Grpc;

namespace Postern.Agent.Serve;

/// <summary>What all streams of discovery share: their errors, and numbers as Cilium writes them.</summary>
internal static class Protocol
{
    /// <summary>Largest version a client may bring; the server must be able to go on above it.</summary>
    public const ulong LargestVersion = ulong.MaxValue / 2;

    /// <summary>Ends a stream: the client does not keep to the protocol.</summary>
    public static RpcException Error(string text) => new(new Status(StatusCode.InvalidArgument, text));

    /// <summary>Ends a stream: a limit.</summary>
    public static RpcException TooMuch(string text) => new(new Status(StatusCode.ResourceExhausted, text));

    /// <summary>A version or a nonce; empty is 0.</summary>
    /// <exception cref="RpcException">Not a decimal number.</exception>
    public static ulong Number(string text, string field)
    {
        if (text.Length == 0)
        {
            return 0;
        }
        if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw Error($"{field} \"{Clip(text)}\" is not a decimal number");
        }
        return number <= LargestVersion ? number : throw Error($"{field} {text} is too large, at most {LargestVersion}");
    }

    /// <summary>A client's text of bounded length, on one line.</summary>
    public static string Clip(string text)
    {
        const int longest = 4096;
        var cut = text.Length > longest ? string.Concat(text.AsSpan(0, longest), "…") : text;
        return cut.ReplaceLineEndings(" ");
    }
}

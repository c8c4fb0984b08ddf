using System;
using System.IO;
using System.Linq;
using System.Text;

namespace Postern.Tests.Proxy.Http1;

/// <summary>Seeds for mutation: Corpus/http1/*.txt, where lines end in CRLF whatever the file says and <c>\xNN</c> is a byte.</summary>
internal static class Corpus
{
    public static readonly byte[][] Requests = Read("request");
    public static readonly byte[][] Chunks = Read("chunks");
    public static readonly byte[][] Responses = Read("response");

    // What mutations put in: the bytes that parsers disagree about.
    private static readonly string[] Spice =
        ["\r", "\n", "\r\n", "\0", " ", "\t", ":", ",", ";", "#", "\x0b", "\x7f", "\xe9", "+", "-", "0x", "Host: b\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "chunked", "HTTP/1.0", "\r\n\r\n", "0\r\n\r\n", "ffffffffffffffff"];

    public static byte[] Mutate(byte[] seed, Random random)
    {
        var bytes = seed.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(4))
            {
                case 0:
                    bytes.InsertRange(at, Encoding.Latin1.GetBytes(Spice[random.Next(Spice.Length)]));
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2 when at < bytes.Count:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 6), bytes.Count - at));
                    break;
                default:
                    var length = Math.Min(random.Next(1, 40), bytes.Count - at);
                    bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                    break;
            }
        }
        return [.. bytes];
    }

    private static byte[][] Read(string kind)
    {
        var files = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Corpus", "http1"), kind + "-*.txt").Order(StringComparer.Ordinal);
        return [.. files.Select(file => Encoding.Latin1.GetBytes(File.ReadAllText(file).Replace("\n", "\r\n", StringComparison.Ordinal)))];
    }
}

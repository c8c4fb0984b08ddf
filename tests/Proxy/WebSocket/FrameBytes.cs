using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Postern.Filters.Network.WebSocket;
using Postern.Proxy.Tcp;

namespace Postern.Tests.Proxy.WebSocket;

/// <summary>What a reader made of some frames, and frames to try it with: Corpus/websocket/*.txt, hexadecimal with comments behind "#".</summary>
internal static class FrameBytes
{
    public static readonly byte[][] Corpus = [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Corpus", "websocket"), "*.txt").Order(StringComparer.Ordinal).Select(Parse)];

    private static readonly byte[] Spice = [0x00, 0x01, 0x02, 0x03, 0x08, 0x0b, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x88, 0x89, 0x8a, 0xc2, 0xfd, 0xfe, 0xff];

    /// <summary>Events in order, with the data between them.</summary>
    public static string Read(ReadOnlySpan<byte> bytes, Func<int> cut)
    {
        var reader = new FrameReader();
        var data = new PendingBytes();
        var seen = new List<string>();
        while (bytes.Length > 0)
        {
            var piece = bytes[..Math.Min(Math.Max(1, cut()), bytes.Length)];
            bytes = bytes[piece.Length..];
            while (true)
            {
                var what = reader.Read(ref piece, data);
                if (what == FrameEvent.None)
                {
                    Assert.Equal(0, piece.Length);
                    break;
                }
                seen.Add(string.Create(CultureInfo.InvariantCulture, $"{data.Count}:{what} {(what == FrameEvent.Error ? reader.Error : Convert.ToHexString(reader.Control))}"));
            }
        }
        return string.Join('\n', seen) + $"\n{Convert.ToHexString(data.Span)} {reader.IsBetweenFrames}";
    }

    public static byte[] Mutate(byte[] seed, Random random)
    {
        var bytes = seed.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(4))
            {
                case 0:
                    bytes.Insert(at, Spice[random.Next(Spice.Length)]);
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] = random.Next(2) == 0 ? Spice[random.Next(Spice.Length)] : (byte)random.Next(256);
                    break;
                case 2 when at < bytes.Count:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 6), bytes.Count - at));
                    break;
                default:
                    bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)));
                    break;
            }
        }
        return [.. bytes];
    }

    private static byte[] Parse(string file) =>
        Convert.FromHexString(string.Concat(File.ReadAllLines(file).Select(line => line.Split('#')[0].Replace(" ", "", StringComparison.Ordinal))));
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Http2;
using Postern.Proxy.Http2.Hpack;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Http2;

/// <summary>What one side of an in-memory connection receives, frame by frame.</summary>
internal sealed class FrameReader(ByteQueue queue) : IFieldSink
{
    private readonly HpackDecoder decoder = new(4096);
    private readonly List<string> fields = [];
    private bool ended;

    /// <summary>All frames so far, for messages.</summary>
    public List<string> Seen { get; } = [];

    /// <summary>The next frame as words; null at the end of the connection.</summary>
    public async Task<IReadOnlyList<string>?> ReadAsync(CancellationToken cancellationToken)
    {
        var header = new byte[9];
        if (ended || !await FillAsync(header, cancellationToken))
        {
            ended = true;
            return null;
        }
        var payload = new byte[(header[0] << 16) | (header[1] << 8) | header[2]];
        Assert.True(await FillAsync(payload, cancellationToken), "the connection ends within a frame");
        var words = FrameText.Decode(header[3], header[4], ((header[5] & 127) << 24) | (header[6] << 16) | (header[7] << 8) | header[8], payload, DecodeBlock);
        Seen.Add(string.Join(' ', words));
        return words;
    }

    /// <summary>Passes over so many bytes, a preface.</summary>
    public async Task SkipAsync(int count, CancellationToken cancellationToken) => Assert.True(await FillAsync(new byte[count], cancellationToken));

    public bool OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed)
    {
        fields.Add($"{Encoding.Latin1.GetString(name)}={Encoding.Latin1.GetString(value).Replace(" ", "\\s", StringComparison.Ordinal)}");
        return true;
    }

    private List<string> DecodeBlock(byte[] block)
    {
        fields.Clear();
        Assert.Equal(HpackError.None, decoder.Decode(block, this));
        return fields;
    }

    private async Task<bool> FillAsync(byte[] into, CancellationToken cancellationToken)
    {
        for (var got = 0; got < into.Length;)
        {
            int count;
            try
            {
                count = await queue.ReadAsync(into.AsMemory(got), cancellationToken);
            }
            catch (IOException)
            {
                count = 0;
            }
            if (count == 0)
            {
                return false;
            }
            got += count;
        }
        return true;
    }
}

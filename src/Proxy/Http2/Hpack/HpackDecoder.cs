using System;

namespace Postern.Proxy.Http2.Hpack;

internal sealed class HpackDecoder(int maxTableSize)
{
    public HpackError Decode(ReadOnlySpan<byte> block, IFieldSink sink) => throw new NotImplementedException($"{maxTableSize} {block.Length} {sink}");
}

using System;

namespace Postern.Proxy.Http2.Hpack;

internal sealed class HpackEncoder
{
    private int size;

    public void SetPeerTableSize(int size) => this.size = size;

    public int Begin(ref byte[] buffer, int at) => throw new NotImplementedException($"{size} {buffer.Length} {at}");

    public int Encode(ReadOnlySpan<char> name, ReadOnlySpan<char> value, ref byte[] buffer, int at, bool neverIndexed = false) => throw new NotImplementedException($"{size} {name} {value} {buffer.Length} {at} {neverIndexed}");
}

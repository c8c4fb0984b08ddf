using System;
using System.Buffers;

namespace Postern.Proxy.Http2.Hpack;

/// <summary>Growth of a buffer that its owner rented, or that is still empty.</summary>
internal static class RentedBuffer
{
    private const int FirstSize = 1024;

    /// <summary>Makes room for so many bytes behind the first <paramref name="used"/>, which stay.</summary>
    public static void Reserve(ref byte[] buffer, int used, int room)
    {
        if (buffer.Length - used >= room)
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(used + room, buffer.Length * 2), FirstSize));
        buffer.AsSpan(0, used).CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        buffer = larger;
    }
}

using System;
using System.Buffers;

namespace Postern.Policy.Http;

/// <summary>Where the values of a repeated header are joined with "," (no space, as Envoy does). Rents only when a header is repeated.</summary>
internal ref struct JoinBuffer
{
    private char[]? rented;
    private int length;

    public readonly ReadOnlySpan<char> Written => rented.AsSpan(0, length);

    public void Start(ReadOnlySpan<char> value)
    {
        length = 0;
        Write(value);
    }

    public void Append(ReadOnlySpan<char> value)
    {
        Write(",");
        Write(value);
    }

    public void Dispose()
    {
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented, clearArray: true); // values may be credentials
            rented = null;
        }
    }

    private void Write(ReadOnlySpan<char> text)
    {
        if (rented is null || rented.Length - length < text.Length)
        {
            var larger = ArrayPool<char>.Shared.Rent(Math.Max(256, (length + text.Length) * 2));
            Written.CopyTo(larger);
            var used = length;
            Dispose();
            rented = larger;
            length = used;
        }
        text.CopyTo(rented.AsSpan(length));
        length += text.Length;
    }
}

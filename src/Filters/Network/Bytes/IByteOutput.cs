using System;

namespace Postern.Filters.Network.Bytes;

/// <summary>One way out of a filter. Takes all it is given; whoever runs the filters gives them no more to read while too much waits here.</summary>
public interface IByteOutput
{
    /// <summary>Room for at least so many bytes, to be followed by <see cref="Advance"/>.</summary>
    Span<byte> Reserve(int count);

    /// <summary>So many bytes of the room were written.</summary>
    void Advance(int count);

    /// <summary>Appends bytes.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Nothing follows: a half-close, after the last byte.</summary>
    void End();
}

/// <summary>Both ways out of a filter, and the time.</summary>
/// <param name="Upstream">Towards the server.</param>
/// <param name="Downstream">Towards the client.</param>
/// <param name="Now">Milliseconds of a clock that only goes forward.</param>
public readonly record struct ByteOutputs(IByteOutput Upstream, IByteOutput Downstream, long Now);

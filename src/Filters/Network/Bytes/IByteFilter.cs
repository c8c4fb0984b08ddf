using System;

namespace Postern.Filters.Network.Bytes;

/// <summary>
/// A network filter that reads and changes the bytes of one TCP connection. Sans-I/O: bytes in, bytes out, one call at a time. It is given every byte once and keeps what it
/// cannot judge yet, within bounds of its own; it never has to keep what it can pass on (a large frame streams through).
/// <code>
///   client ──► OnDownstream ──► towardsUpstream ──► next filter … ──► upstream
///   client ◄── towardsDownstream ◄── OnUpstream ◄── … next filter ◄── upstream
/// </code>
/// Either call may write both ways: what is written towards downstream from <see cref="OnDownstream"/> is an answer of the filter's own, and goes out behind what was
/// written that way before.
/// </summary>
public interface IByteFilter
{
    /// <summary>The client is there, nothing has been read. The filter may speak first.</summary>
    ByteVerdict OnConnect(ByteOutputs outputs);

    /// <summary>Bytes of the client.</summary>
    /// <param name="data">Valid within the call.</param>
    /// <param name="end">Nothing follows. Once. The filter passes it on by <see cref="IByteOutput.End"/>, now or later.</param>
    /// <param name="outputs">Where to write.</param>
    ByteVerdict OnDownstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs);

    /// <summary>Bytes of the server; the same the other way round.</summary>
    ByteVerdict OnUpstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs);

    /// <summary><see cref="NextTimer"/> has come. May be called early.</summary>
    ByteVerdict OnTimer(ByteOutputs outputs);

    /// <summary>When it wants <see cref="OnTimer"/>, in milliseconds of <see cref="ByteOutputs.Now"/>; <see cref="long.MaxValue"/> for never.</summary>
    long NextTimer { get; }

    /// <summary>It takes nothing of the client now: what was read waits, and no more is read.</summary>
    bool PausesDownstream { get; }

    /// <summary>The upstream connection must not be opened yet: the filter may still refuse, or say where to.</summary>
    bool HoldsConnect { get; }
}

/// <summary>Makes a filter for each connection.</summary>
public interface IByteFilterFactory
{
    /// <summary>A fresh instance.</summary>
    IByteFilter Create(ByteFilterContext context);

    /// <summary>Its filters may set <see cref="ByteFilterContext.Destination"/>: a verdict on the connection then comes after them.</summary>
    bool MovesDestination { get; }
}

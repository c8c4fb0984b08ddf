using System;

namespace Postern.Proxy.Http2;

/// <summary>Frame types (RFC 9113 §6). Others are passed over (§4.1).</summary>
internal enum FrameType : byte
{
    Data = 0x0,
    Headers = 0x1,
    Priority = 0x2,
    RstStream = 0x3,
    Settings = 0x4,
    PushPromise = 0x5,
    Ping = 0x6,
    GoAway = 0x7,
    WindowUpdate = 0x8,
    Continuation = 0x9,
}

/// <summary>Flags of frames; each type knows its own and passes over the others.</summary>
[Flags]
internal enum FrameFlags : byte
{
    None = 0,

    /// <summary>DATA and HEADERS. The same bit is <see cref="FrameHeader.Ack"/> of SETTINGS and PING.</summary>
    EndStream = 0x1,
    EndHeaders = 0x4,
    Padded = 0x8,
    Priority = 0x20,
}

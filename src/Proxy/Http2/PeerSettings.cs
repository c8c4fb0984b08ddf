using System;
using System.Buffers.Binary;

namespace Postern.Proxy.Http2;

/// <summary>What the peer said of itself by SETTINGS (RFC 9113 §6.5.2); until it speaks, what every peer can do.</summary>
internal sealed class PeerSettings
{
    /// <summary>Bytes of one setting.</summary>
    public const int EntrySize = 6;

    /// <summary>Window of a stream, and of the connection, before anybody says otherwise.</summary>
    public const int DefaultWindow = 65535;

    private const uint MaxFrameSizeBound = (1 << 24) - 1;

    /// <summary>Most bytes of the dynamic table that our encoder may use.</summary>
    public int HeaderTableSize { get; private set; } = 4096;

    /// <summary>Most streams that we may have open there. Before it speaks, 100: the least that RFC 9113 §6.5.2 recommends.</summary>
    public int MaxConcurrentStreams { get; private set; } = 100;

    /// <summary>What a new stream may send.</summary>
    public int InitialWindow { get; private set; } = DefaultWindow;

    /// <summary>It takes extended CONNECT (RFC 8441 §3).</summary>
    public bool AllowsExtendedConnect { get; private set; }

    /// <summary>The first SETTINGS came.</summary>
    public bool Received { get; private set; }

    /// <summary>Takes the payload of a SETTINGS frame.</summary>
    /// <param name="payload">Whole entries.</param>
    /// <param name="fromServer">The peer is the server.</param>
    public Http2Fault? Apply(ReadOnlySpan<byte> payload, bool fromServer)
    {
        if (!Received)
        {
            MaxConcurrentStreams = int.MaxValue; // no bound unless it names one
            Received = true;
        }
        for (; payload.Length >= EntrySize; payload = payload[EntrySize..])
        {
            var value = BinaryPrimitives.ReadUInt32BigEndian(payload[2..]);
            if (Apply((SettingId)BinaryPrimitives.ReadUInt16BigEndian(payload), value, fromServer) is { } fault)
            {
                return fault;
            }
        }
        return null;
    }

    private Http2Fault? Apply(SettingId id, uint value, bool fromServer)
    {
        switch (id)
        {
            case SettingId.HeaderTableSize:
                HeaderTableSize = (int)Math.Min(value, int.MaxValue);
                return null;
            case SettingId.EnablePush:
                return value > (fromServer ? 0u : 1u) ? Http2Fault.Settings : null;
            case SettingId.MaxConcurrentStreams:
                MaxConcurrentStreams = (int)Math.Min(value, int.MaxValue);
                return null;
            case SettingId.InitialWindowSize:
                InitialWindow = (int)Math.Min(value, int.MaxValue);
                return value > int.MaxValue ? Http2Fault.SettingsWindow : null;
            case SettingId.MaxFrameSize:
                return value is < FrameHeader.MaxPayload or > MaxFrameSizeBound ? Http2Fault.Settings : null; // ours are never longer than the least
            case SettingId.EnableConnectProtocol:
                if (value > 1 || (value == 0 && AllowsExtendedConnect))
                {
                    return Http2Fault.Settings; // RFC 8441 §3: never taken back
                }
                AllowsExtendedConnect = value == 1;
                return null;
            default:
                return null; // SETTINGS_MAX_HEADER_LIST_SIZE is advice
        }
    }
}

/// <summary>Settings.</summary>
internal enum SettingId : ushort
{
    HeaderTableSize = 0x1,
    EnablePush = 0x2,
    MaxConcurrentStreams = 0x3,
    InitialWindowSize = 0x4,
    MaxFrameSize = 0x5,
    MaxHeaderListSize = 0x6,
    EnableConnectProtocol = 0x8,
}

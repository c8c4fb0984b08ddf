using System;

namespace Postern.Xds.Config;

/// <summary><c>envoy.config.core.v3.Http2ProtocolOptions</c>. Null takes the engine's default; <c>docs/limits.md</c> has them.</summary>
public sealed record Http2ProtocolConfig
{
    /// <summary>Nothing is set.</summary>
    public static readonly Http2ProtocolConfig Default = new();

    /// <summary><c>hpack_table_size</c>, bytes.</summary>
    public int? HpackTableSize { get; init; }

    /// <summary><c>max_concurrent_streams</c>.</summary>
    public int? MaxConcurrentStreams { get; init; }

    /// <summary><c>initial_stream_window_size</c>, bytes.</summary>
    public int? InitialStreamWindowSize { get; init; }

    /// <summary><c>initial_connection_window_size</c>, bytes.</summary>
    public int? InitialConnectionWindowSize { get; init; }

    /// <summary><c>allow_connect</c>: RFC 8441 is offered to clients. Without it, it is not, whatever upgrades are configured: a client told of it stops opening HTTP/1.1 connections for WebSocket.</summary>
    public bool AllowConnect { get; init; }

    /// <summary><c>max_outbound_frames</c>.</summary>
    public int? MaxOutboundFrames { get; init; }

    /// <summary><c>max_outbound_control_frames</c>.</summary>
    public int? MaxOutboundControlFrames { get; init; }

    /// <summary><c>max_consecutive_inbound_frames_with_empty_payload</c>.</summary>
    public int? MaxConsecutiveInboundFramesWithEmptyPayload { get; init; }

    /// <summary><c>max_inbound_priority_frames_per_stream</c>.</summary>
    public int? MaxInboundPriorityFramesPerStream { get; init; }

    /// <summary><c>max_inbound_window_update_frames_per_data_frame_sent</c>.</summary>
    public int? MaxInboundWindowUpdateFramesPerDataFrameSent { get; init; }

    /// <summary><c>connection_keepalive.interval</c>; null sends no PING by the clock.</summary>
    public TimeSpan? KeepaliveInterval { get; init; }

    /// <summary><c>connection_keepalive.timeout</c>; required with a keep-alive.</summary>
    public TimeSpan? KeepaliveTimeout { get; init; }

    /// <summary><c>connection_keepalive.connection_idle_interval</c>: a PING before a new stream after that long without traffic; null for none.</summary>
    public TimeSpan? KeepaliveIdleInterval { get; init; }
}

namespace Postern.Proxy.Http2;

/// <summary>The bounds of an HTTP/2 connection (<c>Http2ProtocolOptions</c>). Defaults are Envoy's where nothing else is said.</summary>
internal sealed record Http2Options
{
    public static readonly Http2Options Default = new();

    /// <summary><c>hpack_table_size</c>: bytes of the peer's dynamic table, and of ours.</summary>
    public int HpackTableSize { get; init; } = 4096;

    /// <summary><c>max_concurrent_streams</c>.</summary>
    public int MaxConcurrentStreams { get; init; } = 1024;

    /// <summary><c>initial_stream_window_size</c>, bytes. Envoy's default is 16 MiB; what a connection may hold here is bounded by its own window.</summary>
    public int InitialStreamWindow { get; init; } = 1 << 20;

    /// <summary><c>initial_connection_window_size</c>, bytes: the most that a peer can make a connection hold. Envoy's default is 24 MiB.</summary>
    public int InitialConnectionWindow { get; init; } = 2 << 20;

    /// <summary><c>max_outbound_frames</c>: frames waiting to be sent, of any kind.</summary>
    public int MaxOutboundFrames { get; init; } = 10_000;

    /// <summary><c>max_outbound_control_frames</c>: of those, PING, SETTINGS and RST_STREAM.</summary>
    public int MaxOutboundControlFrames { get; init; } = 1_000;

    /// <summary><c>max_consecutive_inbound_frames_with_empty_payload</c>: HEADERS, CONTINUATION and DATA without END_STREAM that carry nothing.</summary>
    public int MaxConsecutiveEmptyFrames { get; init; } = 1;

    /// <summary><c>max_inbound_priority_frames_per_stream</c>.</summary>
    public int MaxPriorityFramesPerStream { get; init; } = 100;

    /// <summary><c>max_inbound_window_update_frames_per_data_frame_sent</c>.</summary>
    public int MaxWindowUpdatesPerDataFrame { get; init; } = 10;

    /// <summary>Streams that the peer reset early, of one connection, before it is closed (Envoy: <c>overload.premature_reset_total_stream_count</c>).</summary>
    public int MaxPrematureResets { get; init; } = 500;

    /// <summary><c>allow_connect</c>: RFC 8441. Postern takes extended CONNECT where an upgrade is configured.</summary>
    public bool AllowConnect { get; init; }

    /// <summary><c>connection_keepalive.interval</c>, milliseconds; 0 for none.</summary>
    public int KeepAliveMillis { get; init; }

    /// <summary><c>connection_keepalive.timeout</c>, milliseconds.</summary>
    public int KeepAliveTimeoutMillis { get; init; }

    /// <summary><c>connection_keepalive.connection_idle_interval</c>, milliseconds: a PING ahead of a stream that we open where the peer was silent for so long; 0 for none.</summary>
    public int KeepAliveIdleMillis { get; init; }

    /// <summary><c>drain_timeout</c>, milliseconds: a client that answers no PING has had this long to hear of the drain.</summary>
    public int DrainMillis { get; init; } = 5_000;
}

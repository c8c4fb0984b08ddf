namespace Postern.Proxy.Stats;

/// <summary>What the HTTP/2 side of all listeners and clusters counts together, as Envoy's codec does.</summary>
internal sealed class Http2Stats
{
    /// <param name="scope">Where the cells stand.</param>
    public Http2Stats(StatsScope scope)
    {
        HeaderOverflow = scope.Counter("header_overflow");
        EmptyFramesFlood = scope.Counter("inbound_empty_frames_flood");
        PriorityFramesFlood = scope.Counter("inbound_priority_frames_flood");
        WindowUpdateFramesFlood = scope.Counter("inbound_window_update_frames_flood");
        OutboundFlood = scope.Counter("outbound_flood");
        OutboundControlFlood = scope.Counter("outbound_control_flood");
        PrematureResets = scope.Counter("premature_resets");
        RefusedStreams = scope.Counter("streams_refused");
        MessagingErrors = scope.Counter("rx_messaging_error");
        ProtocolErrors = scope.Counter("protocol_error");
        ResetsReceived = scope.Counter("rx_reset");
        ResetsSent = scope.Counter("tx_reset");
        Trailers = scope.Counter("trailers");
        KeepAliveTimeouts = scope.Counter("keepalive_timeout");
        SettingsTimeouts = scope.Counter("settings_timeout");
        FlushTimeouts = scope.Counter("tx_flush_timeout");
        GoAwaysSent = scope.Counter("goaway_sent");
        StreamsActive = scope.Gauge("streams_active");
    }

    /// <summary>Header blocks that grew above their bound, and heads above the listener's limits.</summary>
    public Counter HeaderOverflow { get; }

    public Counter EmptyFramesFlood { get; }

    public Counter PriorityFramesFlood { get; }

    public Counter WindowUpdateFramesFlood { get; }

    /// <summary>Connections closed because their peer does not read.</summary>
    public Counter OutboundFlood { get; }

    /// <summary>Connections closed because their peer asks for answers (PING, SETTINGS, RST_STREAM) that it does not read.</summary>
    public Counter OutboundControlFlood { get; }

    /// <summary>Connections closed because their client reset streams again and again before they were answered.</summary>
    public Counter PrematureResets { get; }

    /// <summary>Streams above max_concurrent_streams.</summary>
    public Counter RefusedStreams { get; }

    /// <summary>Malformed messages: each ended its stream.</summary>
    public Counter MessagingErrors { get; }

    /// <summary>Connections closed because their peer broke HTTP/2 otherwise.</summary>
    public Counter ProtocolErrors { get; }

    public Counter ResetsReceived { get; }

    public Counter ResetsSent { get; }

    /// <summary>Trailer sections received.</summary>
    public Counter Trailers { get; }

    public Counter KeepAliveTimeouts { get; }

    public Counter SettingsTimeouts { get; }

    /// <summary>Connections cut because their last bytes were not taken in time.</summary>
    public Counter FlushTimeouts { get; }

    public Counter GoAwaysSent { get; }

    public Gauge StreamsActive { get; }

    /// <summary>The name of the scope.</summary>
    public static ScopeName Name { get; } = new("http2", "http2", []);

    /// <summary>Cells that nobody reads.</summary>
    public static Http2Stats Unlisted() => new(new StatsScope(Name));
}

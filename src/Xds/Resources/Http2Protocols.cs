using System;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>Http2ProtocolOptions</c>: the ranges are Envoy's, but for upper bounds that keep a connection's memory and the arithmetic on it bounded.</summary>
internal static class Http2Protocols
{
    // Both sides' tables are held per connection; RFC 9113's initial value is 4096.
    private const uint MaxTableSize = 1 << 20;
    private const uint MinWindow = 65_535;
    private static readonly TimeSpan LeastKeepalive = TimeSpan.FromMilliseconds(1);

    /// <summary>Validates.</summary>
    public static Http2ProtocolConfig ToConfig(Http2ProtocolOptions? options, ConfigPath path)
    {
        if (options is null)
        {
            return Http2ProtocolConfig.Default;
        }
        if (options.AllowMetadata)
        {
            throw path.Field("allow_metadata").Error("METADATA frames are not built in; remove it");
        }
        var keepalive = options.ConnectionKeepalive;
        var at = path.Field("connection_keepalive");
        return new Http2ProtocolConfig
        {
            HpackTableSize = Numbers.InRange(options.HpackTableSize, 0, MaxTableSize, path.Field("hpack_table_size")),
            MaxConcurrentStreams = Numbers.InRange(options.MaxConcurrentStreams, 1, int.MaxValue, path.Field("max_concurrent_streams")),
            InitialStreamWindowSize = Numbers.InRange(options.InitialStreamWindowSize, MinWindow, int.MaxValue, path.Field("initial_stream_window_size")),
            InitialConnectionWindowSize = Numbers.InRange(options.InitialConnectionWindowSize, MinWindow, int.MaxValue, path.Field("initial_connection_window_size")),
            AllowConnect = options.AllowConnect,
            MaxOutboundFrames = AtLeast(1, options.MaxOutboundFrames, path.Field("max_outbound_frames")),
            MaxOutboundControlFrames = AtLeast(1, options.MaxOutboundControlFrames, path.Field("max_outbound_control_frames")),
            MaxConsecutiveInboundFramesWithEmptyPayload =
                AtLeast(0, options.MaxConsecutiveInboundFramesWithEmptyPayload, path.Field("max_consecutive_inbound_frames_with_empty_payload")),
            MaxInboundPriorityFramesPerStream = AtLeast(0, options.MaxInboundPriorityFramesPerStream, path.Field("max_inbound_priority_frames_per_stream")),
            MaxInboundWindowUpdateFramesPerDataFrameSent =
                AtLeast(1, options.MaxInboundWindowUpdateFramesPerDataFrameSent, path.Field("max_inbound_window_update_frames_per_data_frame_sent")),
            KeepaliveInterval = Keepalive(keepalive?.Interval, at.Field("interval")),
            KeepaliveTimeout = keepalive is null ? null : Keepalive(keepalive.Timeout, at.Field("timeout")) ?? throw at.Field("timeout").Error("is missing; a keep-alive needs it"),
            KeepaliveIdleInterval = Keepalive(keepalive?.ConnectionIdleInterval, at.Field("connection_idle_interval")),
        };
    }

    // What cannot be reached is no bound: Istio and others write 4294967295 for that.
    private static int? AtLeast(uint least, uint? value, ConfigPath path) => Numbers.InRange(value is > int.MaxValue ? int.MaxValue : value, least, int.MaxValue, path);

    private static TimeSpan? Keepalive(Duration? duration, ConfigPath path)
    {
        if (duration is null)
        {
            return null;
        }
        var value = Durations.ToTimeSpan(duration, TimeSpan.Zero, path);
        return value >= LeastKeepalive ? value : throw path.Error("must be 1ms or longer; remove it for no keep-alive");
    }
}

using System;
using Postern.Xds.Config;

namespace Postern.Proxy.Http2;

/// <summary>From <c>Http2ProtocolOptions</c> to what the codec takes: what is not set keeps the codec's default.</summary>
internal static class Http2Settings
{
    public static Http2Options Compile(Http2ProtocolConfig config)
    {
        var d = Http2Options.Default;
        return config == Http2ProtocolConfig.Default ? d : d with
        {
            HpackTableSize = config.HpackTableSize ?? d.HpackTableSize,
            MaxConcurrentStreams = config.MaxConcurrentStreams ?? d.MaxConcurrentStreams,
            InitialStreamWindow = config.InitialStreamWindowSize ?? d.InitialStreamWindow,
            InitialConnectionWindow = config.InitialConnectionWindowSize ?? d.InitialConnectionWindow,
            MaxOutboundFrames = config.MaxOutboundFrames ?? d.MaxOutboundFrames,
            MaxOutboundControlFrames = config.MaxOutboundControlFrames ?? d.MaxOutboundControlFrames,
            MaxConsecutiveEmptyFrames = config.MaxConsecutiveInboundFramesWithEmptyPayload ?? d.MaxConsecutiveEmptyFrames,
            MaxPriorityFramesPerStream = config.MaxInboundPriorityFramesPerStream ?? d.MaxPriorityFramesPerStream,
            MaxWindowUpdatesPerDataFrame = config.MaxInboundWindowUpdateFramesPerDataFrameSent ?? d.MaxWindowUpdatesPerDataFrame,
            AllowConnect = config.AllowConnect,
            KeepAliveMillis = Millis(config.KeepaliveInterval),
            KeepAliveTimeoutMillis = Millis(config.KeepaliveTimeout),
            KeepAliveIdleMillis = Millis(config.KeepaliveIdleInterval),
        };
    }

    /// <summary>Rounded up; 0 for none.</summary>
    public static int Millis(TimeSpan? time) => time is { } value ? (int)Math.Min(int.MaxValue, Math.Ceiling(value.TotalMilliseconds)) : 0;
}

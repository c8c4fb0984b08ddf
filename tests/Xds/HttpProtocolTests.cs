using System;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Http.HeaderFormatters.PreserveCase.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Tests.Xds;

/// <summary>Options of HTTP versions: what is read, the ranges, and what is refused.</summary>
public sealed class HttpProtocolTests
{
    private static readonly ConfigPath At = ConfigPath.Empty.Field("o");

    [Fact]
    public void AllHttp2Fields_AreRead() => Assert.Equal(
        new Http2ProtocolConfig
        {
            HpackTableSize = 0,
            MaxConcurrentStreams = 100,
            InitialStreamWindowSize = 65_535,
            InitialConnectionWindowSize = int.MaxValue,
            AllowConnect = true,
            MaxOutboundFrames = 1,
            MaxOutboundControlFrames = 2,
            MaxConsecutiveInboundFramesWithEmptyPayload = 0,
            MaxInboundPriorityFramesPerStream = int.MaxValue, // as good as the 4294967295 that was written
            MaxInboundWindowUpdateFramesPerDataFrameSent = 1,
            KeepaliveInterval = TimeSpan.FromSeconds(30),
            KeepaliveTimeout = TimeSpan.FromSeconds(5),
            KeepaliveIdleInterval = TimeSpan.FromSeconds(1),
        },
        Http2Protocols.ToConfig(
            new Http2ProtocolOptions
            {
                HpackTableSize = 0,
                MaxConcurrentStreams = 100,
                InitialStreamWindowSize = 65_535,
                InitialConnectionWindowSize = int.MaxValue,
                AllowConnect = true,
                MaxOutboundFrames = 1,
                MaxOutboundControlFrames = 2,
                MaxConsecutiveInboundFramesWithEmptyPayload = 0,
                MaxInboundPriorityFramesPerStream = uint.MaxValue,
                MaxInboundWindowUpdateFramesPerDataFrameSent = 1,
                OverrideStreamErrorOnInvalidHttpMessage = true, // taken, of no effect
                ConnectionKeepalive = new() { Interval = Seconds(30), Timeout = Seconds(5), ConnectionIdleInterval = Seconds(1) },
            },
            At));

    [Fact]
    public void NothingSet_IsTheDefault()
    {
        Assert.Equal(Http2ProtocolConfig.Default, Http2Protocols.ToConfig(null, At));
        Assert.Equal(Http2ProtocolConfig.Default, Http2Protocols.ToConfig(new Http2ProtocolOptions(), At));
    }

    public static TheoryData<Http2ProtocolOptions, string> OutOfRange => new()
    {
        { new() { MaxConcurrentStreams = 0 }, "o.max_concurrent_streams: 0 is not within 1 to 2147483647" },
        { new() { MaxConcurrentStreams = 1u << 31 }, "o.max_concurrent_streams: 2147483648 is not within" },
        { new() { InitialStreamWindowSize = 65_534 }, "o.initial_stream_window_size: 65534 is not within 65535 to 2147483647" },
        { new() { InitialConnectionWindowSize = 1u << 31 }, "o.initial_connection_window_size: 2147483648 is not within" },
        { new() { HpackTableSize = uint.MaxValue }, "o.hpack_table_size: 4294967295 is not within 0 to 1048576" },
        { new() { MaxOutboundFrames = 0 }, "o.max_outbound_frames: 0 is not within 1 to" },
        { new() { MaxOutboundControlFrames = 0 }, "o.max_outbound_control_frames: 0 is not within 1 to" },
        { new() { MaxInboundWindowUpdateFramesPerDataFrameSent = 0 }, "o.max_inbound_window_update_frames_per_data_frame_sent: 0 is not within 1 to" },
        { new() { AllowMetadata = true }, "o.allow_metadata: METADATA frames are not built in" },
        { new() { ConnectionKeepalive = new() { Interval = Seconds(1) } }, "o.connection_keepalive.timeout: is missing" },
        { new() { ConnectionKeepalive = new() { Timeout = Seconds(0) } }, "o.connection_keepalive.timeout: must be 1ms or longer" },
        { new() { ConnectionKeepalive = new() { Timeout = Seconds(1), Interval = Seconds(0) } }, "o.connection_keepalive.interval: must be 1ms or longer" },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void ValueOutOfRange_IsRefused(Http2ProtocolOptions options, string expected) =>
        Assert.Contains(expected, Assert.Throws<XdsConfigException>(() => Http2Protocols.ToConfig(options, At)).Message, StringComparison.Ordinal);

    [Fact]
    public void WhatHttp1DoesAnyway_IsAccepted()
    {
        Http1Protocols.Check(null, At);
        Http1Protocols.Check(
            new Http1ProtocolOptions
            {
                AcceptHttp10 = true,
                AllowAbsoluteUrl = true,
                EnableTrailers = true,
                HeaderKeyFormat = new() { StatefulFormatter = new() { Name = "preserve_case", TypedConfig = Any.Pack(new PreserveCaseFormatterConfig()) } },
            },
            At);
    }

    public static TheoryData<Http1ProtocolOptions, string> OtherWays => new()
    {
        { new() { AllowAbsoluteUrl = false }, "o.allow_absolute_url: absolute forms are always taken" },
        { new() { AllowChunkedLength = true }, "o.allow_chunked_length: a message with Content-Length and Transfer-Encoding is always refused" },
        { new() { HeaderKeyFormat = new() { ProperCaseWords = new() } }, "o.header_key_format.proper_case_words: names keep the case they came in" },
        { new() { HeaderKeyFormat = new() { StatefulFormatter = new() { TypedConfig = Any.Pack(new Cilium.L7Policy()) } } }, "only PreserveCaseFormatterConfig is built in" },
    };

    [Theory]
    [MemberData(nameof(OtherWays))]
    public void WhatHttp1DoesNot_IsRefused(Http1ProtocolOptions options, string expected) =>
        Assert.Contains(expected, Assert.Throws<XdsConfigException>(() => Http1Protocols.Check(options, At)).Message, StringComparison.Ordinal);

    [Fact]
    public void Cluster_HasItsBounds()
    {
        var cluster = Cluster(new() { IdleTimeout = Seconds(60), MaxRequestsPerConnection = 7, MaxConnectionDuration = Seconds(9) });
        cluster.CircuitBreakers = new() { Thresholds = { new CircuitBreakers.Types.Thresholds { MaxRetries = 128, MaxRequests = 5 }, new CircuitBreakers.Types.Thresholds { Priority = RoutingPriority.High, MaxRequests = 1 } } };

        var config = Clusters.ToConfig(cluster, At);

        Assert.Equal((TimeSpan.FromSeconds(60), 7, TimeSpan.FromSeconds(9)), (config.IdleTimeout, config.MaxRequestsPerConnection, config.MaxConnectionDuration));
        Assert.Equal(new CircuitBreakersConfig(uint.MaxValue, 5), config.CircuitBreakers);
        Assert.Equal((ClusterHttpProtocol.Downstream, 77), (config.HttpProtocol, config.Http2.MaxConcurrentStreams));
    }

    [Fact]
    public void ZeroInACluster_IsNoBound()
    {
        // What Cilium's agent writes.
        var config = Clusters.ToConfig(Cluster(new() { IdleTimeout = Seconds(60), MaxRequestsPerConnection = 0, MaxConnectionDuration = Seconds(0) }), At);
        Assert.Equal((0, null), (config.MaxRequestsPerConnection, config.MaxConnectionDuration));
        Assert.Equal(CircuitBreakersConfig.Unlimited, config.CircuitBreakers);
    }

    [Fact]
    public void ClusterWithoutOptions_SpeaksByItsType()
    {
        var cluster = Cluster(null);
        cluster.TypedExtensionProtocolOptions.Clear();
        Assert.Equal(ClusterHttpProtocol.Downstream, Clusters.ToConfig(cluster, At).HttpProtocol);
        cluster.Http2ProtocolOptions = new() { MaxConcurrentStreams = 3 };
        Assert.Equal((ClusterHttpProtocol.Http2, 3), (Clusters.ToConfig(cluster, At).HttpProtocol, Clusters.ToConfig(cluster, At).Http2.MaxConcurrentStreams));
        Assert.Equal(ClusterHttpProtocol.Http1, new ClusterConfig("c", ClusterType.Static, TimeSpan.FromSeconds(1), []).HttpProtocol);
    }

    private static Cluster Cluster(HttpProtocolOptions? common) => new()
    {
        Name = "c",
        Type = Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.OriginalDst,
        LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.ClusterProvided,
        TypedExtensionProtocolOptions =
        {
            ["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = Any.Pack(new Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions
            {
                CommonHttpProtocolOptions = common,
                UseDownstreamProtocolConfig = new() { Http2ProtocolOptions = new() { MaxConcurrentStreams = 77 } },
                UpstreamHttpProtocolOptions = new(),
            }),
        },
    };

    private static Duration Seconds(int seconds) => new() { Seconds = seconds };
}

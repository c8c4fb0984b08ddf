using System;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Postern.Grpc;
using Postern.Grpc.Client;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>Channels to the control planes of the bootstrap, one per endpoint, shared by all streams and kept for the life of the process.</summary>
internal sealed class ControlPlaneChannels : IAsyncDisposable
{
    private const int DefaultMaxMessage = 256 << 20; // a node's policies are one message; a control plane that sends more is refused, not believed
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30); // a peer that vanished without a word is noticed

    private readonly Dictionary<string, ClusterConfig> clusters = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Cluster, EndPoint EndPoint, string Authority), GrpcChannel> channels = [];
    private readonly Lock gate = new();
    private int attempts;

    public ControlPlaneChannels(BootstrapConfig bootstrap)
    {
        foreach (var cluster in bootstrap.StaticClusters)
        {
            clusters[cluster.Name] = cluster;
        }
    }

    /// <summary>The transport for an attempt; with several endpoints each attempt takes the next.</summary>
    public IDiscoveryTransport For(GrpcSourceConfig source)
    {
        if (!clusters.TryGetValue(source.Cluster, out var cluster) || cluster.Endpoints.Count == 0)
        {
            throw new InvalidOperationException($"cluster {source.Cluster} is not a static cluster with an endpoint");
        }
        var endpoint = cluster.Endpoints[(int)((uint)Interlocked.Increment(ref attempts) % (uint)cluster.Endpoints.Count)];
        lock (gate)
        {
            var key = (cluster.Name, endpoint, source.Authority);
            if (!channels.TryGetValue(key, out var channel))
            {
                channels.Add(key, channel = Open(source, cluster, endpoint));
            }
            return new GrpcDiscoveryTransport(channel.Invoker, Headers(source));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, channel) in channels)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static GrpcChannel Open(GrpcSourceConfig source, ClusterConfig cluster, EndPoint endpoint) => GrpcChannel.ForAddress(new GrpcChannelOptions
    {
        EndPoint = endpoint,
        Authority = source.Authority.Length > 0 ? source.Authority : null,
        Tls = cluster.Tls is { } tls ? ControlPlaneTls.Options(tls) : null,
        MaxReceiveMessageBytes = source.MaxReceiveMessageLength ?? DefaultMaxMessage,
        ConnectTimeout = cluster.ConnectTimeout,
        KeepAliveInterval = KeepAlive,
    });

    private static Metadata? Headers(GrpcSourceConfig source)
    {
        if (source.InitialMetadata.Count == 0)
        {
            return null;
        }
        var headers = new Metadata();
        foreach (var (name, value) in source.InitialMetadata)
        {
            headers.Add(name, value);
        }
        return headers;
    }
}

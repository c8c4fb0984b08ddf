using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Postern.Xds.Config;
using Postern.Xds.Discovery.Files;
using Postern.Xds.Discovery.Protocol;
using Postern.Xds.Discovery.Streams;

namespace Postern.Xds.Discovery;

/// <summary>
/// The xDS client: one stream for each subscription, or the aggregated one, in either form of the protocol, and files. Sinks run on one
/// worker of this object. <see cref="DisposeAsync"/> must not be waited for by a sink.
/// </summary>
public sealed class DiscoveryClient : IDiscovery
{
    private readonly Lock gate = new();
    private readonly DiscoveryClientOptions options;
    private readonly ConfigurationWorker worker;
    private readonly ClientContext context;
    private readonly Dictionary<ResourceType, int> paused = [];
    private readonly List<IMultiplexer> own = [];
    private readonly List<FileSubscription> files = [];
    private readonly Dictionary<string, FileFeed> feeds = new(StringComparer.Ordinal); // by path; kept when its last reader goes
    private IMultiplexer? aggregated;
    private bool isDisposed;

    /// <summary>Creates it; nothing is opened yet.</summary>
    public DiscoveryClient(DiscoveryClientOptions options)
    {
        this.options = options;
        worker = new ConfigurationWorker(options.Log);
        context = new ClientContext(options, worker, IsPaused);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The source cannot serve this.</exception>
    public ISubscription Subscribe(ResourceType type, ConfigSourceConfig source, IReadOnlyList<string> names, IResourceSink sink)
    {
        string[] copy = [.. new HashSet<string>(names, StringComparer.Ordinal)];
        if (Array.Exists(copy, static name => name.Length == 0 || name == Interest.Wildcard))
        {
            throw new ArgumentException("a name must not be empty or '*'; no names at all are the wildcard", nameof(names));
        }
        if (source is FileSourceConfig file)
        {
            return Follow(type, file, copy, sink);
        }
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            switch (source)
            {
                case AdsSourceConfig ads:
                    var config = options.AdsSource ?? throw new ArgumentException("the source is ads, but the bootstrap has no dynamic_resources.ads_config", nameof(source));
                    var label = (config.Variant == DiscoveryVariant.Delta ? "ads (delta) " : "ads ") + config.Cluster;
                    aggregated ??= Create(config, label, null);
                    return aggregated.Subscribe(type, copy, sink, ads.InitialFetchTimeout);
                case GrpcSourceConfig grpc:
                    if (grpc.Variant == DiscoveryVariant.StateOfTheWorld && copy.Length > 1)
                    {
                        throw new ArgumentException("a state-of-the-world stream of its own takes one name; subscribe once for each", nameof(names));
                    }
                    var stream = Create(grpc, grpc.ToString(), type);
                    own.Add(stream);
                    return new OwnSubscription(this, stream, stream.Subscribe(type, copy, sink, grpc.InitialFetchTimeout));
                default:
                    throw new ArgumentException($"unknown source {source}", nameof(source));
            }
        }
    }

    /// <inheritdoc/>
    public IDisposable Pause(ResourceType type)
    {
        lock (paused)
        {
            paused[type] = paused.GetValueOrDefault(type) + 1;
        }
        return new PauseLease(this, type);
    }

    /// <inheritdoc/>
    public IReadOnlyList<SubscriptionStatus> ReadStatus()
    {
        List<IMultiplexer> streams;
        var result = new List<SubscriptionStatus>();
        lock (gate)
        {
            streams = [.. own];
            if (aggregated is not null)
            {
                streams.Add(aggregated);
            }
            foreach (var file in files)
            {
                result.Add(file.Status);
            }
        }
        foreach (var stream in streams)
        {
            result.AddRange(stream.ReadStatus());
        }
        return result;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        List<IAsyncDisposable> streams;
        List<FileSubscription> watched;
        lock (gate)
        {
            if (isDisposed)
            {
                return;
            }
            isDisposed = true;
            streams = [.. own];
            if (aggregated is not null)
            {
                streams.Add(aggregated);
            }
            watched = [.. files];
        }
        foreach (var file in watched)
        {
            file.Dispose();
        }
        foreach (var stream in streams)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        await worker.DisposeAsync().ConfigureAwait(false);
    }

    private FileSubscription Follow(ResourceType type, FileSourceConfig file, string[] names, IResourceSink sink)
    {
        var subscription = new FileSubscription(context, type, file, names, sink, Forget);
        FileFeed? feed;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            files.Add(subscription);
            if (!feeds.TryGetValue(file.Path, out feed))
            {
                feeds.Add(file.Path, feed = new FileFeed(context, file.Path));
            }
        }
        feed.Add(subscription); // reads the file: not under the lock
        return subscription;
    }

    private IMultiplexer Create(GrpcSourceConfig config, string label, ResourceType? only) => config.Variant == DiscoveryVariant.Delta
        ? new Multiplexer<Envoy.Service.Discovery.V3.DeltaDiscoveryRequest, Envoy.Service.Discovery.V3.DeltaDiscoveryResponse>(context, new DeltaVariant(), config, label, only)
        : new Multiplexer<Envoy.Service.Discovery.V3.DiscoveryRequest, Envoy.Service.Discovery.V3.DiscoveryResponse>(context, new SotwVariant(), config, label, only);

    private bool IsPaused(ResourceType type)
    {
        // A lock of its own: this is asked under a stream's lock, and subscribers take those two the other way round.
        lock (paused)
        {
            return paused.GetValueOrDefault(type) > 0;
        }
    }

    private void Resume(ResourceType type)
    {
        IMultiplexer? stream;
        lock (paused)
        {
            paused[type]--;
        }
        lock (gate)
        {
            stream = aggregated;
        }
        stream?.Wake();
    }

    private void Forget(FileSubscription file)
    {
        FileFeed feed;
        lock (gate)
        {
            files.Remove(file);
            feed = feeds[file.Path];
        }
        feed.Remove(file);
    }

    private void Forget(IMultiplexer stream)
    {
        lock (gate)
        {
            own.Remove(stream);
        }
    }

    private sealed class OwnSubscription(DiscoveryClient client, IMultiplexer stream, ISubscription inner) : ISubscription
    {
        public SubscriptionStatus Status => inner.Status;

        public void Dispose()
        {
            inner.Dispose();
            client.Forget(stream);
        }
    }

    private sealed class PauseLease(DiscoveryClient client, ResourceType type) : IDisposable
    {
        private int disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref disposed, 1) == 0)
            {
                client.Resume(type);
            }
        }
    }
}

using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Postern.Xds.Config;
using Postern.Xds.Discovery.Protocol;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Streams;

/// <summary>
/// State of one stream and its types, guarded by <see cref="gate"/>: the loop, the configuration worker and subscribers meet here. The accepted
/// sets are changed by the worker only.
/// </summary>
internal sealed partial class Multiplexer<TRequest, TResponse> : IMultiplexer
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly Lock gate = new();
    private readonly ClientContext context;
    private readonly IVariant<TRequest, TResponse> variant;
    private readonly RequestQueue<TRequest, TResponse> queue;
    private readonly ResponseWork<TRequest, TResponse> work;
    private readonly Dictionary<string, TypeEntry<TRequest, TResponse>> entries = new(StringComparer.Ordinal);
    private readonly HashSet<Watch> unasked = []; // their time to answer has not begun
    private readonly StreamCounters counters = new();
    private readonly CancellationTokenSource stop = new();
    private readonly Signal wake = new();
    private readonly ResourceType? only; // of a stream of its own; null: aggregated
    private readonly string source;
    private readonly ITimer timer;
    private Task loop = Task.CompletedTask;
    private bool trimPosted;
    private bool isStopped;

    public Multiplexer(ClientContext context, IVariant<TRequest, TResponse> variant, GrpcSourceConfig config, string source, ResourceType? only)
    {
        this.context = context;
        this.variant = variant;
        this.source = source;
        this.only = only;
        queue = new RequestQueue<TRequest, TResponse>(variant, context.Options.Node, config.NodeOnFirstMessageOnly);
        work = new ResponseWork<TRequest, TResponse>(context, source, gate);
        timer = context.Options.Time.CreateTimer(static state => ((Multiplexer<TRequest, TResponse>)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        endpoint = config;
        read = variant.CreateReader();
    }

    public ISubscription Subscribe(ResourceType type, IReadOnlyList<string> names, IResourceSink sink, TimeSpan? fetchTimeout)
    {
        var watch = new Watch(this, type, names, sink, fetchTimeout);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isStopped, this);
            if (!entries.TryGetValue(type.TypeUrl, out var entry))
            {
                entry = new TypeEntry<TRequest, TResponse>(variant.Create(type), context.Options.Decoder);
                entries.Add(type.TypeUrl, entry);
                queue.Add(entry.State);
            }
            entry.Watches.Add(watch);
            unasked.Add(watch);
            foreach (var name in watch.Interests)
            {
                entry.State.Interest.Add(name);
            }
            if (entry.State.Version.Length > 0 || entry.State.Held.Count > 0)
            {
                context.Worker.Post(() => work.Replay(entry, watch));
            }
            if (loop.IsCompleted)
            {
                loop = RunAsync();
            }
        }
        Wake();
        return watch;
    }

    public void Remove(Watch watch)
    {
        lock (gate)
        {
            watch.IsClosed = true;
            unasked.Remove(watch);
            var entry = entries[watch.Type.TypeUrl];
            if (!entry.Watches.Remove(watch))
            {
                return;
            }
            foreach (var name in watch.Interests)
            {
                entry.State.Interest.Remove(name);
                entry.Leaving.Add(name);
            }
        }
        if (only is null)
        {
            Wake();
            ScheduleTrim();
        }
        else
        {
            Stop();
        }
    }

    public SubscriptionStatus StatusOf(Watch watch)
    {
        lock (gate)
        {
            var entry = entries[watch.Type.TypeUrl];
            var held = entry.State.Held;
            var count = watch.IsWildcard ? held.Count : 0;
            foreach (var name in watch.Names)
            {
                count += held.Find(name) is null ? 0 : 1;
            }
            return counters.Fill(entry.Counters.Fill(new SubscriptionStatus
            {
                Type = watch.Type,
                Source = source,
                State = "",
                Names = watch.Names,
                Version = entry.State.Version,
                Resources = count,
                FetchTimeouts = watch.FetchTimeouts,
            }));
        }
    }

    public IReadOnlyList<SubscriptionStatus> ReadStatus()
    {
        var watches = new List<Watch>();
        lock (gate)
        {
            foreach (var entry in entries.Values)
            {
                watches.AddRange(entry.Watches.All);
            }
        }
        return watches.ConvertAll(StatusOf);
    }

    public void Wake() => wake.Set();

    public async ValueTask DisposeAsync()
    {
        Stop();
        await loop.ConfigureAwait(false);
        await timer.DisposeAsync().ConfigureAwait(false);
    }

    private void Stop()
    {
        lock (gate)
        {
            if (isStopped)
            {
                return;
            }
            isStopped = true;
            foreach (var entry in entries.Values)
            {
                foreach (var watch in entry.Watches.All)
                {
                    watch.IsClosed = true;
                }
            }
        }
        timer.Dispose();
        stop.Cancel();
    }

    private void ScheduleTrim()
    {
        lock (gate)
        {
            var any = false;
            foreach (var entry in entries.Values)
            {
                any |= entry.Leaving.Count > 0;
            }
            if (!any || trimPosted)
            {
                return;
            }
            trimPosted = true;
        }
        context.Worker.Post(() =>
        {
            lock (gate)
            {
                trimPosted = false;
                foreach (var entry in entries.Values)
                {
                    entry.Trim();
                }
            }
        });
    }

    // Under the lock.
    private void Rearm()
    {
        DateTimeOffset? next = null;
        foreach (var entry in entries.Values)
        {
            next = Earlier(next, entry.State.Held.NextExpiry());
            foreach (var watch in entry.Watches.All)
            {
                next = Earlier(next, watch.Fetch.Next);
            }
        }
        var wait = next is { } at ? at - context.Now : Timeout.InfiniteTimeSpan;
        // Rounded up: a timer that is early by a part of a millisecond would find nothing over.
        timer.Change(wait < TimeSpan.Zero && next is not null ? TimeSpan.Zero : next is null ? wait : wait + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? a, DateTimeOffset? b) => a is null || b < a ? b ?? a : a;

    private void OnTimer() => context.Worker.Post(() =>
    {
        var late = new List<(Watch Watch, IReadOnlyList<string> Names)>();
        var expired = new List<(TypeEntry<TRequest, TResponse> Entry, List<string> Names)>();
        lock (gate)
        {
            if (isStopped)
            {
                return;
            }
            var now = context.Now;
            foreach (var entry in entries.Values)
            {
                if (entry.State.Held.Expired(now) is { Count: > 0 } gone)
                {
                    expired.Add((entry, gone));
                }
                foreach (var watch in entry.Watches.All)
                {
                    if (watch.Fetch.TakeExpired(now) is { Count: > 0 } names)
                    {
                        watch.FetchTimeouts++;
                        late.Add((watch, watch.IsWildcard ? [] : names));
                    }
                }
            }
        }
        foreach (var (entry, names) in expired)
        {
            work.Expire(entry, names);
        }
        foreach (var (watch, names) in late)
        {
            ReportTimeout(watch, names);
        }
        lock (gate)
        {
            Rearm();
        }
    });

    private void ReportTimeout(Watch watch, IReadOnlyList<string> names)
    {
        context.Options.Log($"{source}: {watch.Type}: no answer within initial_fetch_timeout{(names.Count > 0 ? " for " + Printable.Clip(string.Join(", ", names)) : "")}; goes on without");
        try
        {
            if (!watch.IsClosed)
            {
                watch.Sink.OnFetchTimeout(names);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            context.Options.Log($"{source}: {watch.Type}: a fetch timeout could not be handled: {e.GetType().Name}: {Printable.Clip(e.Message)}");
        }
    }
}

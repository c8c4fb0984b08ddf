using System;
using System.Buffers;
using System.Threading;
using System.Threading.Tasks;
using Postern.Grpc;
using Postern.Xds.Config;
using Postern.Xds.Discovery.Protocol;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Streams;

/// <content>The loop: open, ask, read, and after the end wait and begin again. What is in force stays without limit.</content>
internal sealed partial class Multiplexer<TRequest, TResponse>
{
    private readonly GrpcSourceConfig endpoint;
    private readonly Signal written = new();
    private readonly Func<ReadOnlySequence<byte>, TResponse> read;
    private bool isWriting;

    private async Task RunAsync()
    {
        // The subscriber holds the lock.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var backoff = new Backoff(context.Options.Jitter);
        var failures = new StreamFailureLog();
        try
        {
            while (!stop.IsCancellationRequested)
            {
                while (!HasInterest())
                {
                    await wake.WaitAsync(stop.Token).ConfigureAwait(false);
                }
                var end = await RunStreamAsync(backoff, failures).ConfigureAwait(false);
                if (stop.IsCancellationRequested)
                {
                    break;
                }
                var delay = backoff.Next();
                OnEnded(end, failures, delay);
                await Task.Delay(delay, context.Options.Time, stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private async Task<StreamEnd> RunStreamAsync(Backoff backoff, StreamFailureLog failures)
    {
        var end = new StreamEnd();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        try
        {
            lock (gate)
            {
                counters.Attempts++;
                counters.State = StreamCounters.Connecting;
                queue.StartStream();
            }
            var service = only?.Service ?? ResourceType.AggregatedService;
            var method = only is null ? variant.AggregatedMethod : variant.Method(only);
            var stream = context.Options.Transport(endpoint).Open<TRequest, TResponse>(service, method, read, ending.Token);
            await using (stream.ConfigureAwait(false))
            {
                var writing = WriteAsync(stream, end, ending);
                try
                {
                    await ReadAsync(stream, end, backoff, failures, ending.Token).ConfigureAwait(false);
                }
                finally
                {
                    await ending.CancelAsync().ConfigureAwait(false);
                    await writing.ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            end.Fail(e);
        }
        return end;
    }

    // Never throws: its error is the stream's end, which the reader sees.
    private async Task WriteAsync(IDiscoveryStream<TRequest, TResponse> stream, StreamEnd end, CancellationTokenSource ending)
    {
        try
        {
            while (true)
            {
                TRequest? request;
                lock (gate)
                {
                    request = queue.Next(type => only is null && context.IsPaused(type));
                    isWriting = request is not null;
                }
                ScheduleTrim();
                if (request is null)
                {
                    written.Set();
                    await wake.WaitAsync(ending.Token).ConfigureAwait(false);
                    continue;
                }
                await stream.WriteAsync(request, ending.Token).ConfigureAwait(false);
                OnWritten();
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            end.Fail(e);
            await ending.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task ReadAsync(IDiscoveryStream<TRequest, TResponse> stream, StreamEnd end, Backoff backoff, StreamFailureLog failures, CancellationToken cancellationToken)
    {
        while (await stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } response)
        {
            end.HadResponse = true;
            if (failures.OnResponse(context.Now) is { } outage)
            {
                context.Options.Log($"{source}: the control plane is back after {outage.TotalSeconds:F0} s");
            }
            if (Begin(response) is not { } entry)
            {
                context.Options.LogDebug($"{source}: a response of type {Printable.Quote(variant.TypeUrlOf(response))} that nobody asked for is ignored");
                ResetUnlessRefused(backoff);
                continue;
            }
            // One response of a stream at a time, and the next one when the answer is out: the control plane is not read faster than it is obeyed.
            await context.Worker.RunAsync(() => Process(entry, response)).ConfigureAwait(false);
            ResetUnlessRefused(backoff);
            Wake();
            while (IsAnswering(entry))
            {
                await written.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            if (HasRefusedSet(entry))
            {
                end.Close($"closed here, because the whole set of {entry.State.Type} was refused and is sent once per stream");
                return;
            }
        }
    }

    // A message proves that the control plane is there. But while it sends a set that is refused each time, asking for it again must not get faster.
    private void ResetUnlessRefused(Backoff backoff)
    {
        lock (gate)
        {
            foreach (var entry in entries.Values)
            {
                if (entry.State.HasRefusedSet && !entry.State.Interest.IsEmpty)
                {
                    return;
                }
            }
        }
        backoff.Reset();
    }

    private bool HasRefusedSet(TypeEntry<TRequest, TResponse> entry)
    {
        lock (gate)
        {
            return entry.State.HasRefusedSet;
        }
    }

    private TypeEntry<TRequest, TResponse>? Begin(TResponse response)
    {
        lock (gate)
        {
            counters.State = StreamCounters.Live;
            var found = entries.TryGetValue(only?.TypeUrl ?? variant.TypeUrlOf(response), out var entry);
            if (!found || !entry!.State.TryBegin(variant.NonceOf(response)))
            {
                return null;
            }
            entry.Counters.Received++;
            return entry;
        }
    }

    // On the worker.
    private void Process(TypeEntry<TRequest, TResponse> entry, TResponse response)
    {
        var received = entry.State.Read(response);
        var url = variant.TypeUrlOf(response);
        if (url.Length > 0 && url != entry.State.Type.TypeUrl)
        {
            received = received with
            {
                Resources = [],
                Problem = new ResourceProblem("", "type_url", $"{Printable.Quote(url)} on a stream of {entry.State.Type.TypeUrl}; each type has its own stream"),
            };
        }
        foreach (var (name, text) in received.Errors)
        {
            context.Options.Log($"{source}: {entry.State.Type}: the control plane reports an error of {Printable.Quote(name)}: {text}");
        }
        lock (gate)
        {
            entry.Counters.OnResourceErrors(received.Errors);
        }
        work.Process(entry, received);
        lock (gate)
        {
            Rearm();
        }
    }

    private bool HasInterest()
    {
        lock (gate)
        {
            foreach (var entry in entries.Values)
            {
                if (!entry.State.Interest.IsEmpty)
                {
                    return true;
                }
            }
            return false;
        }
    }

    private bool IsAnswering(TypeEntry<TRequest, TResponse> entry)
    {
        lock (gate)
        {
            return entry.State.HasAnswer || isWriting;
        }
    }

    private void OnWritten()
    {
        lock (gate)
        {
            isWriting = false;
            if (counters.State == StreamCounters.Connecting)
            {
                counters.State = StreamCounters.Connected;
            }
            if (unasked.Count == 0)
            {
                return;
            }
            var now = context.Now;
            unasked.RemoveWhere(watch =>
            {
                foreach (var name in watch.Interests)
                {
                    if (!entries[watch.Type.TypeUrl].State.Interest.IsTold(name))
                    {
                        return false;
                    }
                }
                watch.Fetch.OnAsked(now);
                return true;
            });
            Rearm();
        }
    }

    private void OnEnded(StreamEnd end, StreamFailureLog failures, TimeSpan delay)
    {
        lock (gate)
        {
            counters.State = StreamCounters.Waiting;
            counters.LastError = end.Text;
            foreach (var entry in entries.Values)
            {
                entry.State.StartStream(); // nothing is told any more
                foreach (var watch in entry.Watches.All)
                {
                    watch.Fetch.OnDisconnected();
                    unasked.Add(watch);
                }
            }
            Rearm();
        }
        ScheduleTrim();
        var log = failures.IsWarning(end.Code, end.HadResponse, context.Now) ? context.Options.Log : context.Options.LogDebug;
        log($"{source}: the stream ended: {end.Text}; what is in force stays, next attempt in {delay.TotalMilliseconds:F0} ms");
    }
}

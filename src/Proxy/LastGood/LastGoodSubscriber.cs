using System;
using System.Collections.Generic;
using System.Threading;
using Postern.Proxy.Discovery;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.LastGood;

/// <summary>
/// Subscribes with the state on disk in between: what a control plane says is kept, and where it stays silent after a start, what it said to an
/// earlier process is put in force. Files need no such thing, and secrets are never written.
/// </summary>
internal sealed class LastGoodSubscriber : ISubscriber, IDisposable
{
    /// <summary>A control plane that is there answers within this time; then the state on disk has its turn.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan ConfirmInterval = TimeSpan.FromSeconds(30);

    private readonly IDiscovery discovery;
    private readonly StateKeeper keeper;
    private readonly IResourceDecoder decoder;
    private readonly ChangeGate gate;
    private readonly Action<string> log;
    private readonly HashSet<LastGoodSink> sinks = []; // under the gate
    private readonly HashSet<ConfigSourceConfig> silent = [];
    private readonly ITimer confirmation;

    public LastGoodSubscriber(IDiscovery discovery, StateKeeper keeper, IResourceDecoder decoder, ChangeGate gate, Action<string> log)
    {
        this.discovery = discovery;
        this.keeper = keeper;
        this.decoder = decoder;
        this.gate = gate;
        this.log = log;
        confirmation = gate.Time.CreateTimer(_ => Confirm(), null, ConfirmInterval, ConfirmInterval);
    }

    /// <summary>One line for <c>/ready</c>; empty when nothing in force is from disk.</summary>
    public string Detail
    {
        get
        {
            lock (gate.Lock)
            {
                var types = new SortedSet<string>(StringComparer.Ordinal);
                var oldest = DateTimeOffset.MaxValue;
                foreach (var sink in sinks)
                {
                    if (sink.RestoredFrom is { } confirmed)
                    {
                        types.Add(sink.Type.ShortName);
                        oldest = confirmed < oldest ? confirmed : oldest;
                    }
                }
                return types.Count == 0 ? "" : $"{string.Join(", ", types)} from the state on disk, {(gate.Now - oldest).TotalSeconds:F0} s old; no control plane has confirmed it since the start";
            }
        }
    }

    public ISubscription Subscribe(ConfigSourceConfig source, IReadOnlyList<string> names, ResourceSink sink)
    {
        if (source is FileSourceConfig || sink.Type == ResourceType.Secret)
        {
            return discovery.Subscribe(sink.Type, source, names, sink);
        }
        lock (gate.Lock)
        {
            var between = new LastGoodSink(this, sink, source, names);
            sinks.Add(between);
            between.Start(discovery.Subscribe(sink.Type, source, names, between));
            return between;
        }
    }

    public IDisposable Pause(ResourceType type) => discovery.Pause(type);

    public void Dispose() => confirmation.Dispose();

    internal StateKeeper Keeper => keeper;

    internal IResourceDecoder Decoder => decoder;

    internal ChangeGate Gate => gate;

    internal bool IsSilent(ConfigSourceConfig source) => silent.Contains(source);

    internal void NoteSilence(ConfigSourceConfig source) => silent.Add(source);

    internal void NoteAnswer(ConfigSourceConfig source) => silent.Remove(source);

    internal void Log(string line) => log(line);

    internal void Remove(LastGoodSink sink) => sinks.Remove(sink);

    private void Confirm()
    {
        lock (gate.Lock)
        {
            foreach (var sink in sinks)
            {
                sink.ConfirmIfLive();
            }
        }
    }
}

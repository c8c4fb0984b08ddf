using System;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Discovery;

namespace Postern.Agent.Serve;

/// <summary>
/// Owned by <see cref="ResourceServer"/>: what is served, who gets it and who waits for it, all under one gate that is held for moments only.
/// A type that was never published is not answered: a restarted agent must not take away what it has not read yet.
/// </summary>
internal sealed class ServedWorld(ResourceServerOptions options)
{
    private readonly Dictionary<ResourceType, ResourceSet> sets = [];
    private readonly Dictionary<ResourceType, ulong> floors = []; // versions that clients brought before the first publication
    private readonly List<SubscriptionState> subscriptions = [];
    private readonly List<DiscoverySession> sessions = [];
    private readonly List<AckWait> waits = [];
    private long opened;
    private long refused;
    private long failed;
    private long responses;
    private long acks;
    private long nacks;

    public Lock Gate { get; } = new();

    public ResourceServerOptions Options { get; } = options;

    public ulong Publish(ResourceType type, IReadOnlyDictionary<string, Any> resources)
    {
        lock (Gate)
        {
            if (!sets.TryGetValue(type, out var set))
            {
                sets[type] = set = ResourceSet.Create(type, floors.GetValueOrDefault(type) + 1, resources);
            }
            else
            {
                var next = set.With(set.Version + 1, resources);
                if (ReferenceEquals(next, set))
                {
                    // A lift is no news: who enforces the content enforces it under any of its versions.
                    return set.ChangedAt;
                }
                sets[type] = set = next;
            }
            WakeAll();
            return set.Version;
        }
    }

    /// <summary>The set of a type, or null before the first publication. Under the gate.</summary>
    public ResourceSet? Find(ResourceType type) => sets.GetValueOrDefault(type);

    /// <summary>A client knows this version: go on above it. Under the gate.</summary>
    public void Lift(ResourceType type, ulong version)
    {
        if (!sets.TryGetValue(type, out var set))
        {
            floors[type] = Math.Max(floors.GetValueOrDefault(type), version);
        }
        else if (set.Version <= version)
        {
            sets[type] = set.Lifted(version + 1);
            WakeAll();
        }
    }

    /// <summary>Whether a proxy of that address has ACKed clusters. Under the gate.</summary>
    public bool HasClusters(IPAddress node)
    {
        foreach (var subscription in subscriptions)
        {
            if (ReferenceEquals(subscription.Type, ResourceType.Cluster) && subscription.HasAcked && subscription.Node.Address.Equals(node))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Counts an ACK. Under the gate.</summary>
    public void OnAck(SubscriptionState state)
    {
        acks++;
        Settle(state.Type);
        if (ReferenceEquals(state.Type, ResourceType.Cluster))
        {
            WakeAll(); // listeners may have waited for it
        }
    }

    /// <summary>Counts a NACK. Under the gate.</summary>
    public void OnNack(SubscriptionState state)
    {
        nacks++;
        Options.Log($"{state.Type}: {state.Node.Text} refused version {state.Sent}: {state.LastNack}");
        Settle(state.Type);
    }

    /// <summary>Counts a response, or tells waiters that there was nothing to send. Under the gate.</summary>
    public void OnEvaluated(SubscriptionState state, bool isSent)
    {
        responses += isSent ? 1 : 0;
        if (!isSent)
        {
            Settle(state.Type);
        }
    }

    /// <summary>Takes a stream in.</summary>
    /// <exception cref="Postern.Grpc.RpcException">There are too many.</exception>
    public void Join(DiscoverySession session)
    {
        lock (Gate)
        {
            if (sessions.Count >= Options.MaxStreams)
            {
                refused++;
                throw Protocol.TooMuch($"there are {Options.MaxStreams} xDS streams already");
            }
            opened++;
            sessions.Add(session);
        }
    }

    /// <summary>A stream asks for a type. Under the gate.</summary>
    public SubscriptionState Subscribe(ResourceType type, NodeId node)
    {
        var state = new SubscriptionState(type, node, Options.Time.GetUtcNow());
        subscriptions.Add(state);
        return state;
    }

    /// <summary>A stream ended; what it ACKed is not known to be in force any more.</summary>
    public void Leave(DiscoverySession session, IEnumerable<SubscriptionState> states)
    {
        lock (Gate)
        {
            sessions.Remove(session);
            foreach (var state in states)
            {
                subscriptions.Remove(state);
                Settle(state.Type);
            }
        }
    }

    public void OnFailed(string text)
    {
        lock (Gate)
        {
            failed++;
            Options.Log(text);
        }
    }

    public void Add(AckWait wait)
    {
        lock (Gate)
        {
            waits.Add(wait);
            Settle(wait.Type);
        }
    }

    public void Remove(AckWait wait)
    {
        lock (Gate)
        {
            waits.Remove(wait);
        }
    }

    public IReadOnlyList<StreamStatus> ReadStatus()
    {
        lock (Gate)
        {
            return subscriptions.ConvertAll(static state => state.ToStatus());
        }
    }

    public ServeCounters ReadCounters()
    {
        lock (Gate)
        {
            return new ServeCounters(opened, refused, failed, responses, acks, nacks);
        }
    }

    private void WakeAll()
    {
        foreach (var session in sessions)
        {
            session.Wake();
        }
    }

    private void Settle(ResourceType type)
    {
        for (var i = waits.Count - 1; i >= 0; i--)
        {
            if (ReferenceEquals(waits[i].Type, type) && Judge(type, waits[i].Version) is { } result)
            {
                waits[i].Complete(result);
                waits.RemoveAt(i);
            }
        }
    }

    // In force when every stream of the awaited node for that type has it, refused as soon as one says so.
    private AckResult? Judge(ResourceType type, ulong version)
    {
        var found = false;
        var pending = false;
        foreach (var subscription in subscriptions)
        {
            if (!ReferenceEquals(subscription.Type, type) || !subscription.Node.Address.Equals(Options.AckNode))
            {
                continue;
            }
            found = true;
            if (subscription.InForce >= version)
            {
                continue;
            }
            if (subscription.IsRefused && subscription.Seen >= version)
            {
                return new AckResult(AckOutcome.Nacked, subscription.LastNack);
            }
            pending = true;
        }
        return found && !pending ? new AckResult(AckOutcome.Acked, "") : null;
    }
}

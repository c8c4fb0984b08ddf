using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Envoy.Config.Listener.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Compile;
using Postern.Agent.Envoy;
using Postern.Agent.Serve;
using Postern.Policy;
using Postern.Xds.Discovery;

namespace Postern.Agent.Runtime;

/// <summary>Owned by the main loop: the way of a node to the proxy over xDS, and the ports of its listeners.</summary>
internal sealed class NodeServing : INodeServing
{
    private readonly IResourceServer server;
    private readonly Rollout rollout;
    private readonly ProxyPorts ports;
    private readonly AgentListenerOptions listenerOptions;
    private readonly TimeSpan ackTimeout;
    private readonly Action<string> warn;

    // Kinds that rules in force may lead to; kinds that the last node needs; port names that were handed out; those of the last node.
    private HashSet<(TrafficDirection Direction, RedirectKind Kind)> kept = [];
    private HashSet<(TrafficDirection Direction, RedirectKind Kind)> needed = [];
    private readonly HashSet<string> acquired = new(StringComparer.Ordinal);
    private HashSet<string> inUse = new(StringComparer.Ordinal);

    public NodeServing(IResourceServer server, ProxyPorts ports, AgentListenerOptions listenerOptions, TimeSpan ackTimeout, Action<string> warn)
    {
        this.server = server;
        this.ports = ports;
        this.listenerOptions = listenerOptions;
        this.ackTimeout = ackTimeout;
        this.warn = warn;
        rollout = new Rollout(server, new RolloutOptions { ConfigTimeout = ackTimeout, PolicyTimeout = ackTimeout });
    }

    public IReadOnlyList<StreamStatus> ReadStreams() => server.ReadStatus();

    public ushort? PortOf(Redirect redirect) =>
        ports.Find(redirect.Listener ?? AgentListener.PortName(redirect.Direction, redirect.Kind));

    public async Task<ServingResult> ServeAsync(CompiledNode node, CancellationToken cancellationToken)
    {
        needed = KindsOf(node);
        kept.UnionWith(needed);
        inUse = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            var own = new Dictionary<(TrafficDirection, RedirectKind), ushort>();
            var listeners = new List<Listener>();
            foreach (var (direction, kind) in kept)
            {
                var port = Acquire(AgentListener.PortName(direction, kind));
                own[(direction, kind)] = port;
                listeners.Add(AgentListeners.Build(new AgentListener(direction, kind, port), listenerOptions));
            }
            var resources = AgentResources.From(node, listeners, Acquire, listenerOptions, warn);
            var named = NamedPorts(resources[ResourceType.Listener]);
            var result = await rollout.ApplyAsync(resources, cancellationToken).ConfigureAwait(false);
            var (outcome, detail) = await JudgeAsync(result, resources, cancellationToken).ConfigureAwait(false);
            return new ServingResult(outcome, detail, redirect => redirect.Listener is { } name
                ? named.TryGetValue(name, out var port) ? port : null
                : own.TryGetValue((redirect.Direction, redirect.Kind), out var mine) ? mine : null);
        }
        catch (IOException e)
        {
            // No port is free. Without a listener its traffic is dropped.
            return new ServingResult(AckOutcome.Nacked, e.Message, static _ => null);
        }
    }

    public bool Retire()
    {
        // No listener of the last ACKed node has these names, and no rule leads to their ports.
        foreach (var name in new List<string>(acquired))
        {
            if (!inUse.Contains(name) && ports.Read().TryGetValue(name, out var port))
            {
                ports.Release(port);
                acquired.Remove(name);
            }
        }
        var hasMore = kept.Count > needed.Count;
        kept = [.. needed];
        return hasMore;
    }

    private async Task<(AckOutcome Outcome, string Detail)> JudgeAsync(RolloutResult result, IReadOnlyDictionary<ResourceType, IReadOnlyDictionary<string, Any>> resources, CancellationToken cancellationToken)
    {
        if (result.Refusals.Count > 0)
        {
            return (AckOutcome.Nacked, string.Join("; ", result.Refusals));
        }
        if (!result.HasListeners)
        {
            return (AckOutcome.TimedOut, result.ByType[ResourceType.Listener].Detail);
        }
        if (resources[ResourceType.Listener].Count == 0)
        {
            return (AckOutcome.Acked, string.Empty); // nobody subscribes to policies, and nobody is steered
        }
        if (!result.HasPolicies)
        {
            return (AckOutcome.TimedOut, result.ByType[ResourceType.NetworkPolicy].Detail);
        }
        // Without the identities of addresses every peer is a stranger. Publishing the same again only asks for the version.
        var type = ResourceType.NetworkPolicyHosts;
        var hosts = await server.WaitForAckAsync(type, server.Publish(type, resources[type]), ackTimeout, cancellationToken).ConfigureAwait(false);
        return (hosts.Outcome, hosts.Detail);
    }

    private ushort Acquire(string name)
    {
        acquired.Add(name);
        inUse.Add(name);
        return ports.Acquire(name);
    }

    private static HashSet<(TrafficDirection Direction, RedirectKind Kind)> KindsOf(CompiledNode node)
    {
        var kinds = new HashSet<(TrafficDirection, RedirectKind)>();
        foreach (var endpoint in node.Endpoints)
        {
            foreach (var redirect in endpoint.Redirects)
            {
                if (redirect.Listener is null)
                {
                    kinds.Add((redirect.Direction, redirect.Kind));
                }
            }
        }
        return kinds;
    }

    private static Dictionary<string, ushort> NamedPorts(IReadOnlyDictionary<string, Any> listeners)
    {
        var found = new Dictionary<string, ushort>(StringComparer.Ordinal);
        foreach (var (name, packed) in listeners)
        {
            if (packed.Unpack<Listener>().Address?.SocketAddress is { PortValue: > 0 and <= ushort.MaxValue } address)
            {
                found[name] = (ushort)address.PortValue;
            }
        }
        return found;
    }
}

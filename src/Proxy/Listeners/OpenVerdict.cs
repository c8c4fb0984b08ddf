using System.Collections.Generic;
using System.Net;
using System.Threading;
using Postern.Filters;
using Postern.Filters.Network;
using Postern.Proxy.Stats;
using Postern.Records;

namespace Postern.Proxy.Listeners;

/// <summary>
/// What an open connection is open by: who talks to whom, and the rules that allowed it. Owned by its connection; taken again by whoever
/// notices that policy in force is another, with the identities of then. What nobody changed costs a few look-ups.
/// </summary>
internal sealed class OpenVerdict
{
    private readonly Lock gate = new();
    private readonly bool opaque;
    private readonly IRecordSink sink;
    private readonly string listener;
    private readonly ListenerStats stats;
    private PolicyState judgedUnder;
    private ConnectionMetadata metadata;
    private SidedPorts ports;
    private readonly List<IPEndPoint> endpoints = []; // of a load balancer's connection, while something goes there
    private bool allowed = true;

    /// <param name="metadata">With the identities of <paramref name="state"/>.</param>
    /// <param name="opaque">Whether its bytes pass unparsed.</param>
    /// <param name="state">What allowed it.</param>
    /// <param name="sink">Takes the record of its end.</param>
    /// <param name="listener">For that record.</param>
    /// <param name="stats">Counts it.</param>
    public OpenVerdict(ConnectionMetadata metadata, bool opaque, PolicyState state, IRecordSink sink, string listener, ListenerStats stats)
    {
        this.metadata = metadata;
        this.opaque = opaque;
        this.sink = sink;
        this.listener = listener;
        this.stats = stats;
        judgedUnder = state;
        if (metadata.L7Lb is null)
        {
            ports = SidedPorts.Of(metadata, state.Policies);
        }
        else
        {
            allowed = L7LbPolicy.JudgeClient(metadata, opaque, state).Verdict.IsAllowed; // its requests are refused one by one
        }
    }

    /// <summary>
    /// Something of a load balancer's connection goes to this endpoint until <see cref="Leave"/>. Call before it is judged: a change of policy after that is seen here.
    /// </summary>
    public void Enter(EndPoint endpoint)
    {
        if (metadata.L7Lb is not null && endpoint is IPEndPoint address)
        {
            lock (gate)
            {
                endpoints.Add(address);
            }
        }
    }

    /// <summary>It went.</summary>
    public void Leave(EndPoint endpoint)
    {
        if (metadata.L7Lb is not null && endpoint is IPEndPoint address)
        {
            lock (gate)
            {
                endpoints.Remove(address);
            }
        }
    }

    /// <summary>Judges by what is in force now, and closes the connection if that does not allow it. From any thread.</summary>
    public ReviewResult Review(ITrackedConnection connection)
    {
        PolicyState state;
        SidedVerdict verdict;
        ConnectionMetadata recorded;
        uint sourceBefore, destinationBefore;
        lock (gate)
        {
            state = metadata.Policy.Current;
            if (ReferenceEquals(state, judgedUnder))
            {
                return ReviewResult.Unchanged;
            }
            judgedUnder = state;
            (sourceBefore, destinationBefore) = (metadata.SourceIdentity, metadata.DestinationIdentity);
            var now = metadata.Under(state);
            if (now.L7Lb is not null)
            {
                metadata = now;
                (verdict, recorded) = JudgeBalanced(now, state);
                if (!verdict.Verdict.IsAllowed && !allowed && endpoints.Count == 0)
                {
                    return ReviewResult.Unchanged;
                }
                allowed = verdict.Verdict.IsAllowed;
            }
            else
            {
                var found = SidedPorts.Of(now, state.Policies);
                if (ReferenceEquals(now, metadata) && found.AreSame(ports))
                {
                    return ReviewResult.Unchanged;
                }
                (metadata, ports) = (now, found);
                verdict = CiliumNetwork.JudgeSides(now, opaque, found);
                recorded = verdict.Side!;
            }
        }
        if (verdict.Verdict.IsAllowed)
        {
            return ReviewResult.Allowed;
        }
        return connection.Revoke(() => Tell(verdict, recorded, state, sourceBefore, destinationBefore)) ? ReviewResult.Closed : ReviewResult.Gone;
    }

    // A load balancer's connection is judged as far as it can be: the client's side, and the whole of it for endpoints that something goes to now.
    private (SidedVerdict Verdict, ConnectionMetadata Recorded) JudgeBalanced(ConnectionMetadata now, PolicyState state)
    {
        var client = L7LbPolicy.JudgeClient(now, opaque, state);
        var recorded = now with { PodAddress = client.Side!.PodAddress };
        foreach (var endpoint in endpoints)
        {
            if (!client.Verdict.IsAllowed)
            {
                break;
            }
            client = L7LbPolicy.Judge(now, endpoint, opaque, state);
            recorded = L7LbPolicy.Towards(now, endpoint, state.Hosts) with { PodAddress = client.Side!.PodAddress };
        }
        return (client, recorded);
    }

    private void Tell(SidedVerdict denial, ConnectionMetadata recorded, PolicyState state, uint sourceBefore, uint destinationBefore)
    {
        stats.ClosedByPolicy.Increment();
        var detail = $"policy version {state.Version} no longer allows the open connection ({RecordVerdict.NameOf(denial.Verdict.Reason)}): {RefusalText.Explain(denial.Side, denial.Verdict, opaque)}";
        detail += Moved("source", sourceBefore, metadata.SourceIdentity) + Moved("destination", destinationBefore, metadata.DestinationIdentity);
        sink.Write(ConnectionRecord.Of(recorded, listener, EntryType.Denied, RecordVerdict.PolicyChangedReason, detail, denial.Verdict.RuleName));
    }

    private static string Moved(string end, uint before, uint now) => before == now ? "" : $"; the identity of its {end} was {before} and is {now}";
}

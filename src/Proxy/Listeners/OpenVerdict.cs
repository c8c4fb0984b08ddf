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
        ports = SidedPorts.Of(metadata, state.Policies);
    }

    /// <summary>Judges by what is in force now, and closes the connection if that does not allow it. From any thread.</summary>
    public ReviewResult Review(ITrackedConnection connection)
    {
        PolicyState state;
        SidedVerdict denial;
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
            var found = SidedPorts.Of(now, state.Policies);
            if (ReferenceEquals(now, metadata) && found.AreSame(ports))
            {
                return ReviewResult.Unchanged;
            }
            (metadata, ports) = (now, found);
            denial = CiliumNetwork.JudgeSides(now, opaque, found);
        }
        if (denial.Verdict.IsAllowed)
        {
            return ReviewResult.Allowed;
        }
        return connection.Revoke(() => Tell(denial, state, sourceBefore, destinationBefore)) ? ReviewResult.Closed : ReviewResult.Gone;
    }

    private void Tell(SidedVerdict denial, PolicyState state, uint sourceBefore, uint destinationBefore)
    {
        stats.ClosedByPolicy.Increment();
        var side = denial.Side!;
        var detail = $"policy version {state.Version} no longer allows the open connection ({RecordVerdict.NameOf(denial.Verdict.Reason)}): {RefusalText.Explain(side, denial.Verdict, opaque)}";
        detail += Moved("source", sourceBefore, metadata.SourceIdentity) + Moved("destination", destinationBefore, metadata.DestinationIdentity);
        sink.Write(ConnectionRecord.Of(side, listener, EntryType.Denied, RecordVerdict.PolicyChangedReason, detail, denial.Verdict.RuleName));
    }

    private static string Moved(string end, uint before, uint now) => before == now ? "" : $"; the identity of its {end} was {before} and is {now}";
}

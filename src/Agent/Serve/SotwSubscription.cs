using System;
using System.Collections.Generic;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.Collections;

namespace Postern.Agent.Serve;

/// <summary>
/// State of the world for one type on one stream, without any I/O. Owned by its session, called under the world's gate. How nonces and
/// versions are read is the business of the two forms.
/// </summary>
internal abstract class SotwSubscription(ServedWorld world, SubscriptionState state)
{
    private HashSet<string>? names; // null is all

    public SubscriptionState State { get; } = state;

    protected ServedWorld World { get; } = world;

    /// <summary>A response went out.</summary>
    protected bool IsAnswered { get; set; }

    /// <summary>Names came since the last response.</summary>
    protected bool HasNewNames { get; private set; }

    /// <summary>Takes a request of this type.</summary>
    /// <exception cref="Postern.Grpc.RpcException">Ends the stream.</exception>
    public abstract void Take(DiscoveryRequest request);

    /// <summary>What is to be sent now, or null.</summary>
    public DiscoveryResponse? Next(ResourceSet set)
    {
        if (State.IsOutstanding || !IsDueFor(set))
        {
            return null;
        }
        if (IsAnswered && !HasChanged(set))
        {
            State.OnNothingToSend(set.Version);
            return null;
        }
        var response = Respond(set, names);
        State.OnSent(set.Version);
        IsAnswered = true;
        HasNewNames = false;
        return response;
    }

    /// <summary>Whether that set is to be looked at.</summary>
    protected virtual bool IsDueFor(ResourceSet set) => !IsAnswered || set.Version > State.Seen;

    protected virtual DiscoveryResponse Respond(ResourceSet set, IReadOnlyCollection<string>? wanted) =>
        wanted is null ? set.Whole() : set.Only(wanted);

    /// <summary>The list of a request replaces the one before.</summary>
    protected void Want(RepeatedField<string> list, bool all)
    {
        if (list.Count > World.Options.MaxNames)
        {
            throw Protocol.TooMuch($"{State.Type}: {list.Count} resource names, at most {World.Options.MaxNames}");
        }
        if (all)
        {
            HasNewNames |= names is not null;
            names = null;
            State.Names = [];
            return;
        }
        if (names is not null && names.SetEquals(list))
        {
            return;
        }
        var next = new HashSet<string>(list, StringComparer.Ordinal);
        HasNewNames |= names is not null && !next.IsSubsetOf(names);
        names = next;
        State.Names = [.. next];
    }

    protected void Answered(DiscoveryRequest request, bool accepted)
    {
        if (accepted)
        {
            State.OnAck();
            World.OnAck(State);
        }
        else
        {
            State.OnNack(request.ErrorDetail?.Message ?? "", World.Options.Time.GetUtcNow());
            World.OnNack(State);
        }
    }

    private bool HasChanged(ResourceSet set)
    {
        if (HasNewNames)
        {
            return true;
        }
        if (names is null)
        {
            return set.ChangedAt > State.Sent;
        }
        foreach (var name in names)
        {
            // A name without a resource is answered each time the version moves: it may be what moved it.
            if (!set.ByName.TryGetValue(name, out var resource) || resource.ChangedAt > State.Sent)
            {
                return true;
            }
        }
        return false;
    }
}

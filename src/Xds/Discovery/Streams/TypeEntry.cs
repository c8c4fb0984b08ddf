using System.Collections.Generic;
using Postern.Xds.Discovery.Protocol;

namespace Postern.Xds.Discovery.Streams;

/// <summary>State of one (stream, type), guarded by the lock of its multiplexer: protocol, subscriptions and numbers.</summary>
internal sealed class TypeEntry<TRequest, TResponse>(TypeState<TRequest, TResponse> state, IResourceDecoder decoder)
    where TRequest : class
{
    public TypeState<TRequest, TResponse> State { get; } = state;

    public ResponseDecoder Decoder { get; } = new(state.Type, decoder);

    public WatchList Watches { get; } = new();

    public TypeCounters Counters { get; } = new();

    /// <summary>Names given up, whose resources go as soon as the control plane knows.</summary>
    public HashSet<string> Leaving { get; } = [];

    /// <summary>Without what nobody wants: the control plane may send more than was asked for.</summary>
    public DecodedResponse Filter(DecodedResponse response)
    {
        var interest = State.Interest;
        if (interest.Covers(Interest.Wildcard) || interest.IsToldWildcard)
        {
            return response;
        }
        var entries = new List<DecodedEntry>(response.Entries.Count);
        foreach (var entry in response.Entries)
        {
            if (interest.Covers(entry.Item.Resource.Name))
            {
                entries.Add(entry);
            }
        }
        return response with { Entries = entries };
    }

    /// <summary>Drops what is neither wanted nor believed to be wanted.</summary>
    public void Trim()
    {
        var held = State.Held;
        Leaving.RemoveWhere(name =>
        {
            if (State.Interest.IsTold(name) && !State.Interest.Covers(name))
            {
                return false;
            }
            if (name == Interest.Wildcard)
            {
                foreach (var item in new List<HeldResource>(held.All))
                {
                    if (!State.Interest.Covers(item.Resource.Name))
                    {
                        held.Remove(item.Resource.Name);
                    }
                }
            }
            else if (!State.Interest.Covers(name))
            {
                held.Remove(name);
            }
            return true;
        });
        held.Shrink();
    }
}

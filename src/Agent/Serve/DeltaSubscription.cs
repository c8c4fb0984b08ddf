using System;
using System.Collections.Generic;
using System.Globalization;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.Collections;

namespace Postern.Agent.Serve;

/// <summary>Delta for one type on one stream, without any I/O. Owned by its session, called under the world's gate.</summary>
internal sealed class DeltaSubscription(ServedWorld world, SubscriptionState state)
{
    private const string Wildcard = "*";
    private readonly HashSet<string> names = new(StringComparer.Ordinal);
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);               // to be answered whatever the client has
    private readonly Dictionary<string, string> known = new(StringComparer.Ordinal);    // what the client has: name, version
    private bool begun;
    private bool wildcard;
    private bool answered;
    private ulong responses;

    public SubscriptionState State { get; } = state;

    /// <summary>Takes a request of this type.</summary>
    public void Take(DeltaDiscoveryRequest request)
    {
        if (!begun)
        {
            Begin(request);
        }
        else if (State.IsOutstanding && request.ResponseNonce == Nonce)
        {
            Answer(request);
        }
        Subscribe(request.ResourceNamesSubscribe);
        Unsubscribe(request.ResourceNamesUnsubscribe);
        if (names.Count > world.Options.MaxNames || asked.Count > world.Options.MaxNames)
        {
            throw Protocol.TooMuch($"{State.Type}: more than {world.Options.MaxNames} resource names");
        }
        if (request.ResourceNamesSubscribe.Count + request.ResourceNamesUnsubscribe.Count > 0 || !begun)
        {
            State.Names = wildcard ? [] : [.. names];
        }
        begun = true;
    }

    /// <summary>What is to be sent now, or null.</summary>
    public DeltaDiscoveryResponse? Next(ResourceSet set)
    {
        var opening = wildcard && !answered; // answered even when empty: a client that waits for its first answer goes on
        if (State.IsOutstanding || (set.Version <= State.Seen && asked.Count == 0 && !opening))
        {
            return null;
        }
        var response = new DeltaDiscoveryResponse { TypeUrl = State.Type.TypeUrl, SystemVersionInfo = set.Version.ToString(CultureInfo.InvariantCulture) };
        Collect(set, response);
        asked.Clear();
        if (response.Resources.Count + response.RemovedResources.Count == 0 && !opening)
        {
            State.OnNothingToSend(set.Version);
            return null;
        }
        responses++;
        response.Nonce = Nonce;
        answered = true;
        State.OnSent(set.Version);
        return response;
    }

    private string Nonce => responses.ToString(CultureInfo.InvariantCulture);

    private void Begin(DeltaDiscoveryRequest request)
    {
        wildcard = request.ResourceNamesSubscribe.Count + request.ResourceNamesUnsubscribe.Count == 0 || request.ResourceNamesSubscribe.Contains(Wildcard);
        var wanted = new HashSet<string>(request.ResourceNamesSubscribe, StringComparer.Ordinal);
        foreach (var (name, version) in request.InitialResourceVersions)
        {
            if (wildcard || wanted.Contains(name))
            {
                known[name] = version;
            }
        }
    }

    private void Answer(DeltaDiscoveryRequest request)
    {
        if (request.ErrorDetail is null)
        {
            State.OnAck();
            world.OnAck(State);
        }
        else
        {
            State.OnNack(request.ErrorDetail.Message, world.Options.Time.GetUtcNow());
            world.OnNack(State);
        }
    }

    private void Subscribe(RepeatedField<string> list)
    {
        foreach (var name in list)
        {
            if (name == Wildcard)
            {
                answered &= wildcard;
                wildcard = true;
                continue;
            }
            names.Add(name);

            // Later on the client may have dropped its copy, so it is sent again; at the start it said what it has.
            if (begun || !known.ContainsKey(name))
            {
                asked.Add(name);
            }
        }
    }

    private void Unsubscribe(RepeatedField<string> list)
    {
        foreach (var name in list)
        {
            if (name == Wildcard)
            {
                wildcard = false;
                foreach (var held in known.Keys)
                {
                    if (!names.Contains(held))
                    {
                        known.Remove(held);
                    }
                }
            }
            else if (names.Remove(name) || wildcard)
            {
                Forget(name);
            }
        }
    }

    // Under a wildcard the client cannot tell whether it still gets the resource: it is told either way.
    private void Forget(string name)
    {
        if (wildcard)
        {
            asked.Add(name);
            return;
        }
        known.Remove(name);
        asked.Remove(name);
    }

    private void Collect(ResourceSet set, DeltaDiscoveryResponse response)
    {
        foreach (var name in known.Keys)
        {
            if (!set.ByName.ContainsKey(name))
            {
                known.Remove(name);
                asked.Remove(name);
                response.RemovedResources.Add(name);
            }
        }
        if (wildcard)
        {
            foreach (var resource in set.ByName.Values)
            {
                Collect(resource, response);
            }
        }
        foreach (var name in wildcard ? asked : names)
        {
            if (!set.ByName.TryGetValue(name, out var resource))
            {
                if (asked.Contains(name))
                {
                    response.RemovedResources.Add(name);
                }
            }
            else if (!wildcard)
            {
                Collect(resource, response);
            }
        }
    }

    private void Collect(ServedResource resource, DeltaDiscoveryResponse response)
    {
        var version = resource.Wrapped.Version;
        if (!known.TryGetValue(resource.Name, out var held) || held != version || asked.Contains(resource.Name))
        {
            known[resource.Name] = version;
            response.Resources.Add(resource.Wrapped);
        }
    }
}

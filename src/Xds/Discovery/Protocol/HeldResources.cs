using System;
using System.Collections.Generic;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// State of one (stream, type), owned by its type state: the accepted set, by name and by bytes. Only the configuration worker changes it,
/// under the multiplexer's lock; what is removed leaves nothing behind.
/// </summary>
internal sealed class HeldResources
{
    private readonly Dictionary<string, HeldResource> byName = new(StringComparer.Ordinal);
    private readonly Dictionary<SourceKey, HeldResource> bySource = [];
    private readonly Dictionary<object, HeldResource> byBody = new(ReferenceEqualityComparer.Instance);
    private long responses;
    private int mortal; // how many have a ttl

    public int Count => byName.Count;

    public IReadOnlyCollection<HeldResource> All => byName.Values;

    public HeldResource? Find(string name) => byName.GetValueOrDefault(name);

    public HeldResource? Find(SourceKey source) => bySource.GetValueOrDefault(source);

    /// <summary>That came in this very object: no byte is looked at.</summary>
    public HeldResource? Find(Any body) => byBody.GetValueOrDefault(body);

    /// <summary>Nothing has been seen in the response that begins.</summary>
    public void BeginResponse() => responses++;

    /// <summary>Marks what is held as seen in this response. False: it was already.</summary>
    public bool TrySee(HeldResource item)
    {
        var isFirst = item.SeenIn != responses;
        item.SeenIn = responses;
        return isFirst;
    }

    /// <summary>Whether one of this name is held and was seen in this response.</summary>
    public bool WasSeen(string name) => byName.TryGetValue(name, out var item) && item.SeenIn == responses;

    /// <summary>Takes an accepted response; no name in it is both removed and there.</summary>
    public void Accept(DecodedResponse response, DateTimeOffset now)
    {
        foreach (var entry in response.Entries)
        {
            Put(entry.Item);
            SetExpiry(entry.Item, entry.Ttl is { } ttl ? now + ttl : null);
        }
        if (response.IsFullSet && byName.Count > response.Entries.Count)
        {
            var names = new HashSet<string>(response.Entries.Count, StringComparer.Ordinal);
            foreach (var entry in response.Entries)
            {
                names.Add(entry.Item.Resource.Name);
            }
            foreach (var name in byName.Keys)
            {
                if (!names.Contains(name))
                {
                    Remove(name); // Dictionary allows removal while it is enumerated
                }
            }
        }
        foreach (var name in response.Removed)
        {
            Remove(name);
        }
        Shrink();
    }

    public void Remove(string name)
    {
        if (byName.Remove(name, out var old))
        {
            Unlink(old);
        }
    }

    /// <summary>Gives back room when most of the set is gone.</summary>
    public void Shrink()
    {
        if (byName.Capacity > 64 && byName.Count < byName.Capacity / 4)
        {
            byName.TrimExcess();
            bySource.TrimExcess();
            byBody.TrimExcess();
        }
    }

    /// <summary>Names with their versions, without those that have none.</summary>
    public IEnumerable<(string Name, string Version)> Versions()
    {
        foreach (var item in byName.Values)
        {
            if (item.Resource.Version.Length > 0)
            {
                yield return (item.Resource.Name, item.Resource.Version);
            }
        }
    }

    /// <summary>Names whose ttl is over.</summary>
    public List<string> Expired(DateTimeOffset now)
    {
        var names = new List<string>();
        if (mortal > 0)
        {
            foreach (var item in byName.Values)
            {
                if (item.ExpiresAt <= now)
                {
                    names.Add(item.Resource.Name);
                }
            }
        }
        return names;
    }

    /// <summary>When the next ttl is over, or null.</summary>
    public DateTimeOffset? NextExpiry()
    {
        DateTimeOffset? next = null;
        if (mortal > 0)
        {
            foreach (var item in byName.Values)
            {
                next = item.ExpiresAt is { } at && (next is null || at < next) ? at : next;
            }
        }
        return next;
    }

    private void Put(HeldResource item)
    {
        if (item.IsHeld)
        {
            return;
        }
        if (byName.TryGetValue(item.Resource.Name, out var old))
        {
            Unlink(old);
        }
        byName[item.Resource.Name] = item;
        bySource[item.Source] = item;
        byBody[item.Resource.Source] = item;
        item.IsHeld = true;
    }

    private void Unlink(HeldResource old)
    {
        bySource.Remove(old.Source);
        byBody.Remove(old.Resource.Source);
        SetExpiry(old, null);
        old.IsHeld = false;
    }

    private void SetExpiry(HeldResource item, DateTimeOffset? at)
    {
        mortal += (at is null ? 0 : 1) - (item.ExpiresAt is null ? 0 : 1);
        item.ExpiresAt = at;
    }
}

/// <summary>State of one accepted resource, owned by its <see cref="HeldResources"/>.</summary>
internal sealed class HeldResource(DiscoveredResource resource, SourceKey source)
{
    public DiscoveredResource Resource { get; } = resource;

    public SourceKey Source { get; } = source;

    /// <summary>When its ttl is over, or null.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary>It is in the set now.</summary>
    public bool IsHeld { get; set; }

    /// <summary>The last response it was in, as the set counts them.</summary>
    public long SeenIn { get; set; }
}

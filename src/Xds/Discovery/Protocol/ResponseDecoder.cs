using System;
using System.Collections.Generic;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// Checks and decodes a response of one type. All its problems are collected, up to a bound, before it is refused: one repair should be
/// enough. What came in the same bytes before is not decoded again.
/// </summary>
internal sealed class ResponseDecoder(ResourceType type, IResourceDecoder decoder)
{
    private const int MaxProblems = 16;
    private const int MaxWarnings = 64;

    public DecodedResponse Decode(ReceivedResponse response, HeldResources held)
    {
        var entries = new List<DecodedEntry>(response.Resources.Count);
        var problems = new List<ResourceProblem>();
        var warnings = new List<string>();
        if (response.Problem is { } whole)
        {
            problems.Add(whole);
        }
        held.BeginResponse();
        var fresh = new HashSet<string>(StringComparer.Ordinal); // names of what is not held as it is; the others are marked
        for (var i = 0; i < response.Resources.Count && problems.Count < MaxProblems; i++)
        {
            var problem = Take(response.Resources[i], i, held, response.IsFullSet, warnings, out var entry);
            if (problem is null && entry.Item is { } item)
            {
                problem = TryMark(item, held, fresh) ? null : Problem(item.Resource.Name, "", "is in this response twice; send each name once");
                entries.Add(entry);
            }
            if (problem is not null)
            {
                problems.Add(problem);
            }
        }
        foreach (var name in response.Removed)
        {
            if (problems.Count < MaxProblems && (fresh.Contains(name) || held.WasSeen(name)))
            {
                problems.Add(Problem(name, "", "is in resources and in removed_resources of one response; send it in one of them"));
            }
        }
        return new DecodedResponse(response.Version, response.IsFullSet, entries, response.Removed, problems, warnings);
    }

    // False: its name was in this response before. With 10,000 that did not change no table of names is built.
    private static bool TryMark(HeldResource item, HeldResources held, HashSet<string> fresh)
    {
        if (item.IsHeld)
        {
            return held.TrySee(item) && (fresh.Count == 0 || !fresh.Contains(item.Resource.Name));
        }
        return !held.WasSeen(item.Resource.Name) && fresh.Add(item.Resource.Name);
    }

    // No problem and no item: nothing to do.
    private ResourceProblem? Take(ReceivedResource received, int index, HeldResources held, bool isFullSet, List<string> warnings, out DecodedEntry entry)
    {
        entry = default;
        if (received.Problem is { } reason)
        {
            return Problem(received.Name, "", reason);
        }
        if (received.Body is not { } body)
        {
            return TakeHeartbeat(received, index, held, isFullSet, out entry);
        }
        if (body.TypeUrl != type.TypeUrl)
        {
            return Problem(NameOr(received.Name, index), "@type", $"{Printable.Quote(body.TypeUrl)} in a response of {type.TypeUrl}; a response holds one type");
        }
        if (received.Name.Length == 0 && held.Find(body) is { } itself)
        {
            entry = new DecodedEntry(itself, received.Ttl, false);
            return null;
        }
        var source = new SourceKey(received.Name, body.Value);
        var same = held.Find(source);
        if (same is not null)
        {
            // The object stays unless the resource has a version of its own that moved.
            var moved = received.HasOwnVersion && same.Resource.Version != received.Version;
            entry = new DecodedEntry(moved ? new HeldResource(same.Resource with { Version = received.Version }, source) : same, received.Ttl, false);
            return null;
        }
        return Decode(received, body, source, index, warnings, out entry);
    }

    private ResourceProblem? Decode(ReceivedResource received, Any body, SourceKey source, int index, List<string> warnings, out DecodedEntry entry)
    {
        entry = default;
        DecodedResource decoded;
        try
        {
            decoded = decoder.Decode(type, body, received.Name);
        }
        catch (XdsConfigException e)
        {
            return Problem(NameOf(received, body, index), e.Path, e.Reason);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A bug of ours: the resource is refused, the worker lives on.
            return Problem(NameOf(received, body, index), "", $"cannot be decoded: {e.GetType().Name}: {Printable.Clip(e.Message)}");
        }
        if (decoded.Name.Length == 0 || decoded.Name == Interest.Wildcard)
        {
            return Problem(NameOr(received.Name, index), "name", "must be a name");
        }
        if (received.Name.Length > 0 && received.Name != decoded.Name)
        {
            return Problem(received.Name, "name", $"is {Printable.Quote(decoded.Name)}, its wrapper says {Printable.Quote(received.Name)}; make them the same");
        }
        for (var i = 0; i < decoded.Warnings.Count && warnings.Count < MaxWarnings; i++)
        {
            warnings.Add(decoded.Warnings[i]);
        }
        entry = new DecodedEntry(new HeldResource(new DiscoveredResource(decoded.Name, received.Version, decoded.Config, body), source), received.Ttl, false);
        return null;
    }

    private static ResourceProblem? TakeHeartbeat(ReceivedResource received, int index, HeldResources held, bool isFullSet, out DecodedEntry entry)
    {
        entry = default;
        var item = held.Find(received.Name);
        var isHeartbeat = item is not null && (received.IsOfHeldVersion || (received.HasOwnVersion && received.Version == item.Resource.Version));
        if (isHeartbeat)
        {
            entry = new DecodedEntry(item!, received.Ttl, true);
            return null;
        }
        if (isFullSet && item is not null)
        {
            // To pass it over would be to remove it.
            return Problem(received.Name, "resource", $"is missing, and this is no heartbeat: version {Printable.Quote(received.Version)} is not the one in force");
        }
        // Delta: an alias that leads nowhere, or a heartbeat of what is not held. Either way nothing changes.
        return received.Name.Length > 0 ? null : Problem(NameOr("", index), "resource", "is missing, and there is no name to say what this is a heartbeat of");
    }

    private string NameOf(ReceivedResource received, Any body, int index) =>
        received.Name.Length > 0 ? received.Name : NameOr(ResourceNames.Peek(type, body.Value), index);

    private static string NameOr(string name, int index) => name.Length > 0 ? name : "#" + index;

    private static ResourceProblem Problem(string name, string path, string reason) => new(Printable.Clip(name), path, reason);
}

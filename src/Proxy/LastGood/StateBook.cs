using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using Postern.Xds.Discovery;

namespace Postern.Proxy.LastGood;

/// <summary>
/// The state file of one type and source: what is to be in it, and when it was last confirmed. Owned by its <see cref="StateKeeper"/>, changed
/// under its own lock; only <see cref="Flush"/> touches the disk.
/// </summary>
internal sealed class StateBook(string file, ResourceType type, string nodeId, string source, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, DiscoveredResource?> changes = new(StringComparer.Ordinal); // to full, null for removed
    private IReadOnlyList<DiscoveredResource> full = []; // as it came: taking 10,000 of them costs nothing
    private string version = "";
    private DateTimeOffset confirmed;
    private bool dirty;
    private bool stale; // the confirmation is newer than that on disk

    /// <summary>Kind of resource.</summary>
    public ResourceType Type => type;

    /// <summary>Path on disk.</summary>
    public string File => file;

    /// <summary>What is on disk and may be used, or null when there is none.</summary>
    /// <exception cref="StateFileException">Damaged, foreign or too old.</exception>
    /// <exception cref="IOException">Cannot be read.</exception>
    public SavedState? Load(TimeSpan maxAge)
    {
        if (StateDirectory.Read(file) is not { } bytes)
        {
            return null;
        }
        var state = StateFile.Decode(bytes);
        if (state.NodeId != nodeId || state.Source != source || state.TypeUrl != type.TypeUrl)
        {
            throw new StateFileException($"belongs to node \"{state.NodeId}\" and source \"{state.Source}\", not to node \"{nodeId}\" and source \"{source}\"");
        }
        var age = time.GetUtcNow() - state.Confirmed;
        if (age > maxAge || age < TimeSpan.FromMinutes(-5))
        {
            throw new StateFileException($"was last confirmed {state.Confirmed:u}, {age.TotalSeconds:F0} s ago; --state-max-age allows {maxAge.TotalSeconds:F0} s");
        }
        return state;
    }

    /// <summary>Takes an accepted update.</summary>
    public void Put(ResourceUpdate update)
    {
        lock (gate)
        {
            if (update.IsFullSet)
            {
                full = update.Resources;
                changes.Clear();
            }
            else
            {
                foreach (var name in update.Removed)
                {
                    changes[name] = null;
                }
                foreach (var resource in update.Resources)
                {
                    changes[resource.Name] = resource;
                }
            }
            version = update.Version;
            confirmed = time.GetUtcNow();
            dirty = true;
        }
    }

    /// <summary>Nobody refers to it any more.</summary>
    public void Forget(string name)
    {
        lock (gate)
        {
            changes[name] = null;
            dirty = true;
        }
    }

    /// <summary>The control plane is there and has nothing else to say.</summary>
    public void Confirm()
    {
        lock (gate)
        {
            confirmed = time.GetUtcNow();
            stale = true;
        }
    }

    /// <summary>Writes what changed.</summary>
    /// <exception cref="IOException">Disk full, read-only, gone.</exception>
    /// <exception cref="StateFileException">Too large.</exception>
    public void Flush()
    {
        SavedState? state = null;
        DateTimeOffset when;
        lock (gate)
        {
            if (!dirty && !stale)
            {
                return;
            }
            when = confirmed;
            if (dirty)
            {
                state = new SavedState(type.TypeUrl, nodeId, source, version, when, Merge());
            }
            dirty = stale = false;
        }
        try
        {
            if (state is not null)
            {
                StateDirectory.Write(file, StateFile.Encode(state));
            }
            else if (System.IO.File.Exists(file))
            {
                StateDirectory.Overwrite(file, StateFile.Confirmation(when));
            }
        }
        catch
        {
            lock (gate)
            {
                dirty |= state is not null; // else the next confirmation would make the old file young
                stale = true;
            }
            throw;
        }
    }

    private List<SavedResource> Merge()
    {
        if (changes.Count > 0)
        {
            var merged = new List<DiscoveredResource>();
            foreach (var resource in full)
            {
                if (!changes.ContainsKey(resource.Name))
                {
                    merged.Add(resource);
                }
            }
            foreach (var (_, resource) in changes)
            {
                if (resource is not null)
                {
                    merged.Add(resource);
                }
            }
            full = merged;
            changes.Clear();
        }
        var saved = new List<SavedResource>(full.Count);
        foreach (var resource in full)
        {
            saved.Add(new SavedResource(resource.Name, resource.Version, resource.Source));
        }
        return saved;
    }
}

using System;
using System.Collections.Generic;
using Postern.Proxy.Discovery;
using Postern.Proxy.Listeners;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>Opens listeners without sockets, as the manager does: equal ones are left alone, what is refused keeps its old version.</summary>
internal sealed class FakeHost : IListenerHost
{
    public Dictionary<string, ListenerSnapshot> Open { get; } = [];

    /// <summary>Ports that are taken.</summary>
    public HashSet<int> Taken { get; } = [];

    /// <summary>"open a", "change a", "close a", in order.</summary>
    public List<string> Log { get; } = [];

    public IReadOnlyList<(string Name, string Error)> Apply(IReadOnlyList<ListenerConfig> configs, Func<ListenerConfig, ListenerSnapshot> compile)
    {
        var errors = new List<(string, string)>();
        var names = new HashSet<string>();
        foreach (var config in configs)
        {
            names.Add(config.Name);
        }
        foreach (var name in new List<string>(Open.Keys))
        {
            if (!names.Contains(name))
            {
                Open.Remove(name);
                Log.Add("close " + name);
            }
        }
        foreach (var config in configs)
        {
            if (Open.TryGetValue(config.Name, out var old) && old.Config.Equals(config))
            {
                continue;
            }
            if (Taken.Contains(config.Addresses[0].Port))
            {
                errors.Add((config.Name, "address in use"));
                continue;
            }
            Log.Add((old is null ? "open " : "change ") + config.Name);
            Open[config.Name] = compile(config);
        }
        return errors;
    }
}

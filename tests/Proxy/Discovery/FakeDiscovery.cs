using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Postern.Policy;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>A control plane that says what the test says, and remembers what it was asked.</summary>
internal sealed class FakeDiscovery : IDiscovery
{
    private readonly List<FakeSubscription> all = [];
    private int pauses;

    /// <summary>What happened, in order: "+CDS", "+EDS echo", "-EDS echo".</summary>
    public List<string> Log { get; } = [];

    /// <summary>Subscribed while requests of the type were held back.</summary>
    public HashSet<string> Batched { get; } = [];

    public IEnumerable<string> Open => all.Where(s => s.IsOpen).Select(s => s.Title);

    public ISubscription Subscribe(ResourceType type, ConfigSourceConfig source, IReadOnlyList<string> names, IResourceSink sink)
    {
        var subscription = new FakeSubscription(this, type, source, names, sink);
        all.Add(subscription);
        Log.Add("+" + subscription.Title);
        if (pauses > 0)
        {
            Batched.Add(subscription.Title);
        }
        return subscription;
    }

    public IDisposable Pause(ResourceType type)
    {
        pauses++;
        return new Resume(this);
    }

    public IReadOnlyList<SubscriptionStatus> ReadStatus() => [.. all.Where(s => s.IsOpen).Select(s => s.Status)];

    public ValueTask DisposeAsync() => default;

    /// <summary>The one open subscription with that title.</summary>
    public FakeSubscription Find(string title) =>
        all.SingleOrDefault(s => s.IsOpen && s.Title == title) ?? throw new InvalidOperationException($"{title} is not subscribed; there are: {string.Join(", ", Open)}");

    /// <summary>Sends a full set (or, of named types, resources) and gives the problems.</summary>
    public IReadOnlyList<ResourceProblem> Send(string title, params (string Name, object Config)[] resources) => Find(title).Send("1", resources);

    internal sealed class FakeSubscription(FakeDiscovery owner, ResourceType type, ConfigSourceConfig source, IReadOnlyList<string> names, IResourceSink sink) : ISubscription
    {
        private bool answered;

        public string Title => names.Count == 0 ? type.ShortName : $"{type.ShortName} {string.Join(' ', names)}";

        public ConfigSourceConfig Source => source;

        public bool IsOpen { get; private set; } = true;

        public SubscriptionStatus Status => new() { Type = type, Source = source.ToString()!, State = answered ? "live" : "connecting" };

        public IReadOnlyList<ResourceProblem> Send(string version, params (string Name, object Config)[] resources) =>
            Apply(version, type.IsFullSet, [.. resources.Select(r => Resource(r.Name, version, r.Config))], []);

        public IReadOnlyList<ResourceProblem> Delta(string version, string[] removed, params (string Name, object Config)[] resources) =>
            Apply(version, false, [.. resources.Select(r => Resource(r.Name, version, r.Config))], removed);

        public IReadOnlyList<ResourceProblem> Apply(string version, bool full, IReadOnlyList<DiscoveredResource> resources, IReadOnlyList<string> removed)
        {
            var update = new ResourceUpdate(type, version, answered ? UpdateStream.Old : UpdateStream.New, full, resources, removed);
            var problems = sink.Apply(update);
            answered |= problems.Count == 0;
            return problems;
        }

        public void TimeOut() => sink.OnFetchTimeout(names);

        public void Dispose()
        {
            if (IsOpen)
            {
                IsOpen = false;
                owner.Log.Add("-" + Title);
            }
        }

        private DiscoveredResource Resource(string name, string version, object config) => new(name, version, config, FakeDecoder.Wrap(type, config));
    }

    private sealed class Resume(FakeDiscovery owner) : IDisposable
    {
        public void Dispose() => owner.pauses--;
    }
}

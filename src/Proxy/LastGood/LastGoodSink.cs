using System;
using System.Collections.Generic;
using System.Threading;
using Postern.Proxy.Admin;
using Postern.Proxy.Discovery;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.LastGood;

/// <summary>
/// Stands between a source and a sink: passes updates on and notes the accepted ones; when none comes in time, offers the sink the state on
/// disk. The first accepted update of the source replaces all of that. Owned by its <see cref="LastGoodSubscriber"/>, changed under the gate.
/// </summary>
internal sealed class LastGoodSink : IResourceSink, ISubscription
{
    private readonly LastGoodSubscriber owner;
    private readonly ResourceSink inner;
    private readonly ConfigSourceConfig source;
    private readonly IReadOnlyList<string> names;
    private readonly StateBook book;
    private ISubscription? subscription;
    private ITimer? patience;
    private bool answered;
    private bool tried;
    private bool disposed;

    public LastGoodSink(LastGoodSubscriber owner, ResourceSink inner, ConfigSourceConfig source, IReadOnlyList<string> names)
    {
        this.owner = owner;
        this.inner = inner;
        this.source = source;
        this.names = names;
        book = owner.Keeper.Book(inner.Type, source);
    }

    public ResourceType Type => inner.Type;

    /// <summary>When the state from disk that is in force was last confirmed; null when none is.</summary>
    public DateTimeOffset? RestoredFrom { get; private set; }

    public SubscriptionStatus Status => subscription!.Status;

    public void Start(ISubscription opened)
    {
        subscription = opened;
        if (answered)
        {
            return;
        }
        if (owner.IsSilent(source))
        {
            Restore();
            return;
        }
        patience = owner.Gate.Time.CreateTimer(_ => OnSilence(), null, LastGoodSubscriber.Patience, Timeout.InfiniteTimeSpan);
    }

    public IReadOnlyList<ResourceProblem> Apply(ResourceUpdate update)
    {
        lock (owner.Gate.Lock)
        {
            if (disposed)
            {
                return []; // under way when the subscription ended: another source may have spoken since
            }
            var problems = inner.Apply(update);
            if (problems.Count == 0)
            {
                answered = true;
                RestoredFrom = null;
                patience?.Dispose();
                owner.NoteAnswer(source);
                book.Put(update);
            }
            return problems;
        }
    }

    public void OnFetchTimeout(IReadOnlyList<string> late)
    {
        lock (owner.Gate.Lock)
        {
            if (!answered && !tried && !disposed)
            {
                Restore();
            }
            if (RestoredFrom is null && !disposed)
            {
                inner.OnFetchTimeout(late);
            }
        }
    }

    public void ConfirmIfLive()
    {
        if (answered && Status.State == "live")
        {
            book.Confirm();
        }
    }

    public void Dispose()
    {
        lock (owner.Gate.Lock)
        {
            disposed = true;
            patience?.Dispose();
            owner.Remove(this);
            foreach (var name in names)
            {
                book.Forget(name);
            }
        }
        subscription?.Dispose();
    }

    private void OnSilence()
    {
        lock (owner.Gate.Lock)
        {
            if (!answered && !tried && !disposed)
            {
                Restore();
            }
        }
    }

    private void Restore()
    {
        tried = true;
        owner.NoteSilence(source); // before anything is put in force: what that refers to need not wait once more
        if (owner.Keeper.Load(book) is not { } saved)
        {
            return;
        }
        try
        {
            var resources = new List<DiscoveredResource>();
            foreach (var resource in saved.Resources)
            {
                if (names.Count > 0 && !IsAsked(resource.Name))
                {
                    continue;
                }
                var decoded = owner.Decoder.Decode(Type, resource.Resource, resource.Name);
                resources.Add(new DiscoveredResource(decoded.Name, resource.Version, decoded.Config, resource.Resource));
            }
            if (names.Count > 0 && resources.Count == 0)
            {
                return;
            }
            var age = (owner.Gate.Now - saved.Confirmed).TotalSeconds;
            var update = new ResourceUpdate(Type, $"{saved.Version} (from disk, {age:F0} s old)", Policy.UpdateStream.New, names.Count == 0, resources, []);
            var problems = inner.Apply(update, Provenance.Disk);
            if (problems.Count > 0)
            {
                owner.Log($"state on disk is not used: {book.File}: {problems[0].Resource}: {problems[0].Reason}");
                return;
            }
            RestoredFrom = saved.Confirmed;
            owner.Log($"{Type} from {source} is silent; in force from the state on disk, {age:F0} s old: version {saved.Version}, {resources.Count} resources");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // On a timer: nobody else would take it.
            owner.Log($"state on disk is not used: {book.File}: {(e is XdsConfigException ? e.Message : $"{e.GetType().Name}: {OneLine.Of(e.Message)}")}");
        }
    }

    private bool IsAsked(string name)
    {
        foreach (var asked in names)
        {
            if (string.Equals(asked, name, StringComparison.Ordinal))
            {
                return true;
            }
        }
        return false;
    }
}

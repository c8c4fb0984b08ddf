using System;
using System.Collections.Generic;
using System.Threading;
using Envoy.Service.Discovery.V3;
using Postern.Policy;
using Postern.Xds.Config;
using Postern.Xds.Discovery.Protocol;
using Postern.Xds.Discovery.Streams;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Files;

/// <summary>
/// State of one subscription to a file. A reading comes from the <see cref="FileFeed"/> and becomes an update on the configuration worker; a bad one
/// leaves in force what was.
/// </summary>
internal sealed class FileSubscription : ISubscription
{
    private readonly ClientContext context;
    private readonly ResourceType type;
    private readonly FileSourceConfig file;
    private readonly IReadOnlyList<string> names;
    private readonly IResourceSink sink;
    private readonly Action<FileSubscription> onDisposed;
    private readonly Lock gate = new(); // counters, version, held
    private readonly HeldResources held = new();
    private readonly TypeCounters counters = new();
    private string version = "";
    private bool isLive;
    private volatile bool isClosed;

    public FileSubscription(ClientContext context, ResourceType type, FileSourceConfig file, IReadOnlyList<string> names, IResourceSink sink, Action<FileSubscription> onDisposed)
    {
        this.context = context;
        this.type = type;
        this.file = file;
        this.names = names;
        this.sink = sink;
        this.onDisposed = onDisposed;
    }

    /// <summary>The file.</summary>
    public string Path => file.Path;

    /// <inheritdoc/>
    public SubscriptionStatus Status
    {
        get
        {
            lock (gate)
            {
                return counters.Fill(new SubscriptionStatus
                {
                    Type = type,
                    Source = file.ToString(),
                    State = isLive ? StreamCounters.Live : StreamCounters.Connected,
                    Names = names,
                    Version = version,
                    Resources = held.Count,
                });
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        isClosed = true;
        onDisposed(this);
    }

    /// <summary>Takes a reading. On the worker.</summary>
    public void Apply(byte[]? bytes, XdsConfigException? error)
    {
        if (isClosed)
        {
            return;
        }
        lock (gate)
        {
            counters.Received++;
        }
        var refused = "";
        IReadOnlyList<ResourceProblem> problems = [];
        try
        {
            if (bytes is null)
            {
                throw error!;
            }
            var document = ConfigDocument.Parse(bytes, file.Path, ConfigTextLimits.Default);
            document.Read<DiscoveryResponse, bool>(response =>
            {
                refused = response.VersionInfo;
                var (decoded, paths) = FileResources.Read(response, type, names, context.Options.Decoder, held);
                problems = Offer(decoded);
                return problems.Count == 0 ? true : throw FileResources.Error(problems[0], paths);
            });
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            var text = e is XdsConfigException { FileName: not null } ? e.Message : $"{file.Path}: {e.GetType().Name}: {Printable.Clip(e.Message)}";
            lock (gate)
            {
                counters.OnRejected(context.Now, refused, text, problems.Count > 0 ? problems : [new ResourceProblem("", "", text)]);
            }
            context.Options.Log(text);
        }
    }

    private IReadOnlyList<ResourceProblem> Offer(DecodedResponse response)
    {
        if (!IsUnchanged(response))
        {
            var resources = new List<DiscoveredResource>(response.Entries.Count);
            foreach (var entry in response.Entries)
            {
                resources.Add(entry.Item.Resource);
            }
            var problems = sink.Apply(new ResourceUpdate(type, response.Version, isLive ? UpdateStream.Old : UpdateStream.New, response.IsFullSet, resources, []));
            if (problems.Count > 0)
            {
                return problems;
            }
        }
        lock (gate)
        {
            held.Accept(response, context.Now);
            version = response.Version;
            isLive = true;
            counters.OnAccepted(context.Now);
        }
        foreach (var warning in response.Warnings)
        {
            context.Options.LogDebug($"{file.Path}: {warning}");
        }
        return [];
    }

    private bool IsUnchanged(DecodedResponse response)
    {
        if (!isLive || response.Version != version || response.Entries.Count != held.Count)
        {
            return false;
        }
        foreach (var entry in response.Entries)
        {
            if (!ReferenceEquals(held.Find(entry.Item.Resource.Name), entry.Item))
            {
                return false;
            }
        }
        return true;
    }
}

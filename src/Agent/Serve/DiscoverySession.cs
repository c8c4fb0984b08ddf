using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Postern.Grpc;
using Postern.Grpc.Server;
using Postern.Xds.Discovery;

namespace Postern.Agent.Serve;

/// <summary>A stream that can be told that there is news. News do not pile up.</summary>
internal abstract class DiscoverySession
{
    private readonly Channel<bool> news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>There is news. Does not block.</summary>
    public void Wake() => news.Writer.TryWrite(true);

    protected ValueTask<bool> ReadNewsAsync(CancellationToken cancellationToken) => news.Reader.ReadAsync(cancellationToken);
}

/// <summary>
/// The life of one stream: requests are taken and responses sent by one flow, so that a client that does not read stops its own stream and
/// nothing else.
/// </summary>
/// <param name="world">What is served.</param>
/// <param name="only">The stream's type, or null on an aggregated stream.</param>
internal abstract class DiscoverySession<TRequest, TResponse>(ServedWorld world, ResourceType? only) : DiscoverySession
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    private NodeId? node;

    protected ServedWorld World { get; } = world;

    /// <summary>Who is at the other end, for logs.</summary>
    private string Peer => $"{only?.ShortName ?? "ADS"} stream of {node?.Text ?? "an unnamed node"}";

    /// <summary>Serves until the client goes, or breaks the protocol.</summary>
    /// <exception cref="RpcException">The status to end the call with.</exception>
    public async Task RunAsync(IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TResponse> responses, CancellationToken cancellationToken)
    {
        World.Join(this);
        try
        {
            await ServeAsync(requests, responses, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.InvalidArgument or StatusCode.ResourceExhausted)
        {
            World.OnFailed($"{Peer} ends: {e.Status.Detail}");
            throw;
        }
        finally
        {
            World.Leave(this, States);
        }
    }

    /// <summary>Of all subscriptions.</summary>
    protected abstract IEnumerable<SubscriptionState> States { get; }

    protected abstract (Node? Node, string TypeUrl) HeadOf(TRequest request);

    /// <summary>Takes a request. Under the gate.</summary>
    protected abstract void Take(ResourceType type, NodeId from, TRequest request);

    /// <summary>What the subscription to that type has to say to its client now, or null. Under the gate.</summary>
    protected abstract (SubscriptionState? State, TResponse? Response) NextOf(ResourceType type, ResourceSet set);

    private async Task ServeAsync(IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TResponse> responses, CancellationToken cancellationToken)
    {
        var reading = requests.ReadAsync(cancellationToken).AsTask();
        var news = ReadNewsAsync(cancellationToken).AsTask();
        while (true)
        {
            await Task.WhenAny(reading, news).ConfigureAwait(false);
            if (news.IsCompleted)
            {
                await news.ConfigureAwait(false);
                news = ReadNewsAsync(cancellationToken).AsTask();
            }
            if (reading.IsCompleted)
            {
                if (await reading.ConfigureAwait(false) is not { } request)
                {
                    return;
                }
                Take(request);
                await SendAsync(responses, cancellationToken).ConfigureAwait(false);
                reading = requests.ReadAsync(cancellationToken).AsTask(); // not before: who does not read is not listened to
                continue;
            }
            await SendAsync(responses, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(IServerStreamWriter<TResponse> responses, CancellationToken cancellationToken)
    {
        while (Next() is { } response)
        {
            await responses.WriteAsync(response, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Take(TRequest request)
    {
        var size = request.CalculateSize();
        if (size > World.Options.MaxRequestBytes)
        {
            throw Protocol.TooMuch($"a request of {size} bytes, at most {World.Options.MaxRequestBytes}");
        }
        var (sender, typeUrl) = HeadOf(request);
        node ??= NodeId.Parse(sender);
        if (TypeOf(typeUrl) is { } type)
        {
            lock (World.Gate)
            {
                Take(type, node, request);
            }
        }
    }

    // An aggregated stream may ask for types that are not served here: it gets no answer, as from any server that has no such resource.
    private ResourceType? TypeOf(string typeUrl)
    {
        if (only is null)
        {
            return typeUrl.Length > 0 ? ResourceType.Find(typeUrl) : throw Protocol.Error("a request on an aggregated stream needs a type_url");
        }
        return typeUrl.Length == 0 || typeUrl == only.TypeUrl
            ? only
            : throw Protocol.Error($"type_url \"{Protocol.Clip(typeUrl)}\" on a stream of {only.TypeUrl}");
    }

    private TResponse? Next()
    {
        lock (World.Gate)
        {
            // The order of ResourceType.All is make-before-break.
            foreach (var type in ResourceType.All)
            {
                if ((only is null || ReferenceEquals(only, type)) && Next(type) is { } response)
                {
                    return response;
                }
            }
            return null;
        }
    }

    private TResponse? Next(ResourceType type)
    {
        if (node is null || World.Find(type) is not { } set || IsHeldBack(type))
        {
            return null;
        }
        var (state, response) = NextOf(type, set);
        if (state is not null)
        {
            World.OnEvaluated(state, isSent: response is not null);
        }
        return response;
    }

    // Listeners name clusters: the first listeners of a node follow its first clusters.
    private bool IsHeldBack(ResourceType type)
    {
        if (only is null || !ReferenceEquals(type, ResourceType.Listener))
        {
            return false;
        }
        foreach (var state in States)
        {
            if (state.Sent > 0)
            {
                return false;
            }
        }
        return !World.HasClusters(node!.Address);
    }
}

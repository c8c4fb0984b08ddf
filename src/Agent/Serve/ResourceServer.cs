using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Grpc;
using Postern.Grpc.Server;
using Postern.Xds.Discovery;

namespace Postern.Agent.Serve;

/// <summary>
/// The xDS server of a node, see docs/agent-xds.md. It opens no socket: host <see cref="Definitions"/> in a gRPC server, on a unix socket with
/// mode 0660.
/// </summary>
public sealed class ResourceServer : IResourceServer
{
    private readonly ServedWorld world;
    private readonly CancellationTokenSource stop = new();

    /// <summary>Creates it with nothing published.</summary>
    public ResourceServer(ResourceServerOptions? options = null)
    {
        world = new ServedWorld(options ?? new ResourceServerOptions());
        Definitions = [.. Services()];
    }

    /// <summary>The seven services with SotW and Delta methods, and the aggregated one.</summary>
    public ServiceDefinition[] Definitions { get; }

    /// <inheritdoc/>
    public ulong Publish(ResourceType type, IReadOnlyDictionary<string, Any> resources) => world.Publish(type, resources);

    /// <inheritdoc/>
    public async Task<AckResult> WaitForAckAsync(ResourceType type, ulong version, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stop.Token);
        var wait = new AckWait(type, version);
        world.Add(wait);
        try
        {
            return await wait.Result.WaitAsync(timeout, world.Options.Time, either.Token).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new AckResult(AckOutcome.TimedOut, $"no proxy at {world.Options.AckNode} answered {type} version {version} within {timeout.TotalSeconds:0.#} s");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new AckResult(AckOutcome.TimedOut, "the xDS server stops");
        }
        finally
        {
            world.Remove(wait);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<StreamStatus> ReadStatus() => world.ReadStatus();

    /// <summary>What it did so far.</summary>
    public ServeCounters ReadCounters() => world.ReadCounters();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await stop.CancelAsync().ConfigureAwait(false);

    /// <summary>Serves one state-of-the-world stream.</summary>
    /// <param name="only">Its type; null is the aggregated stream.</param>
    /// <param name="requests">From the client.</param>
    /// <param name="responses">To the client.</param>
    /// <param name="cancellationToken">Of the call.</param>
    internal async Task StreamAsync(ResourceType? only, IAsyncStreamReader<DiscoveryRequest> requests, IServerStreamWriter<DiscoveryResponse> responses, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stop.Token);
        await EndingAsync(new SotwSession(world, only).RunAsync(requests, responses, either.Token)).ConfigureAwait(false);
    }

    /// <summary>As <see cref="StreamAsync"/>, Delta.</summary>
    internal async Task DeltaAsync(ResourceType? only, IAsyncStreamReader<DeltaDiscoveryRequest> requests, IServerStreamWriter<DeltaDiscoveryResponse> responses, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stop.Token);
        await EndingAsync(new DeltaSession(world, only).RunAsync(requests, responses, either.Token)).ConfigureAwait(false);
    }

    private async Task EndingAsync(Task session)
    {
        try
        {
            await session.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the agent stops; what it served stays in force"));
        }
    }

    private IEnumerable<ServiceDefinition> Services()
    {
        foreach (var type in ResourceType.All)
        {
            yield return Service(type.Service, type.StreamMethod, type.DeltaMethod, type);
        }
        yield return Service(ResourceType.AggregatedService, "StreamAggregatedResources", "DeltaAggregatedResources", null);
    }

    private ServiceDefinition Service(string name, string stream, string delta, ResourceType? only) =>
        new ServiceDefinition(name, ServiceFiles.Find(name))
            .Add(
                new Method<DiscoveryRequest, DiscoveryResponse>(MethodType.DuplexStreaming, name, stream, DiscoveryRequest.Parser, DiscoveryResponse.Parser),
                (requests, responses, context) => StreamAsync(only, requests, responses, context.CancellationToken))
            .Add(
                new Method<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(MethodType.DuplexStreaming, name, delta, DeltaDiscoveryRequest.Parser, DeltaDiscoveryResponse.Parser),
                (requests, responses, context) => DeltaAsync(only, requests, responses, context.CancellationToken));
}

using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Postern.Grpc.Health.V1;
using Postern.Grpc.Server;

namespace Postern.Grpc.Health;

/// <summary>
/// <c>grpc.health.v1.Health</c>: says which services serve. The empty name is the whole server and serves until told otherwise.
/// Safe for many callers.
/// </summary>
public sealed class HealthService
{
    /// <summary>Full name of the service.</summary>
    public const string Name = "grpc.health.v1.Health";

    /// <summary>Asks once.</summary>
    public static readonly Method<HealthCheckRequest, HealthCheckResponse> Check = new(MethodType.Unary, Name, "Check", HealthCheckRequest.Parser, HealthCheckResponse.Parser);

    /// <summary>Asks once, and again at each change.</summary>
    public static readonly Method<HealthCheckRequest, HealthCheckResponse> Watch = new(MethodType.ServerStreaming, Name, "Watch", HealthCheckRequest.Parser, HealthCheckResponse.Parser);

    private readonly Lock gate = new();
    private readonly Dictionary<string, HealthCheckResponse.Types.ServingStatus> states = new(StringComparer.Ordinal) { [""] = HealthCheckResponse.Types.ServingStatus.Serving };
    private TaskCompletionSource changed = NewSignal();

    /// <summary>Creates it.</summary>
    public HealthService() => Definition = new ServiceDefinition(Name, HealthReflection.Descriptor)
        .Unary(Check, (request, context) => Find(request.Service, out _) is { } status
            ? Task.FromResult(new HealthCheckResponse { Status = status })
            : throw new RpcException(new Status(StatusCode.NotFound, $"unknown service {request.Service}")))
        .Add(Watch, WatchAsync);

    /// <summary>To be given to a server.</summary>
    public ServiceDefinition Definition { get; }

    /// <summary>Says whether a service serves; its watchers are told.</summary>
    public void SetServing(string service, bool serving)
    {
        TaskCompletionSource told;
        lock (gate)
        {
            states[service] = serving ? HealthCheckResponse.Types.ServingStatus.Serving : HealthCheckResponse.Types.ServingStatus.NotServing;
            told = changed;
            changed = NewSignal();
        }
        told.SetResult();
    }

    private async Task WatchAsync(IAsyncStreamReader<HealthCheckRequest> requests, IServerStreamWriter<HealthCheckResponse> responses, ServerCallContext context)
    {
        var request = await requests.ReadAsync(context.CancellationToken).ConfigureAwait(false);
        HealthCheckResponse.Types.ServingStatus? sent = null;
        while (true)
        {
            // A service that is not known yet may come: the specification wants the stream to stay.
            var status = Find(request!.Service, out var change) ?? HealthCheckResponse.Types.ServingStatus.ServiceUnknown;
            if (status != sent)
            {
                await responses.WriteAsync(new HealthCheckResponse { Status = status }, context.CancellationToken).ConfigureAwait(false);
                sent = status;
            }
            await change.WaitAsync(context.CancellationToken).ConfigureAwait(false);
        }
    }

    private HealthCheckResponse.Types.ServingStatus? Find(string service, out Task change)
    {
        lock (gate)
        {
            change = changed.Task;
            return states.TryGetValue(service, out var status) ? status : null;
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Postern.Agent.AccessLog;
using Postern.Agent.Compile;

namespace Postern.Agent.Api;

/// <summary>The agent's API: HTTP/1 and JSON on a unix socket that only its owner and group may use. It reads, and changes nothing.</summary>
public sealed class ApiServer : IAsyncDisposable
{
    private const long LargestBody = 64 * 1024;
    private const int MostWaiting = 1024;
    private readonly WebApplication app;
    private readonly string socketPath;

    private ApiServer(WebApplication app, string socketPath)
    {
        this.app = app;
        this.socketPath = socketPath;
    }

    /// <summary>Starts it.</summary>
    /// <exception cref="IOException">The socket cannot be made.</exception>
    public static async Task<ApiServer> StartAsync(string socketPath, IAgentView agent, AccessLogServer records, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        File.Delete(socketPath); // of an agent that was killed; a living one holds the runtime folder's lock
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
            kestrel.ListenUnixSocket(socketPath, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = builder.Build();
        Map(app, agent, records);
        await app.StartAsync(cancellationToken).ConfigureAwait(false);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(socketPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        }
        return new ApiServer(app, socketPath);
    }

    /// <summary>Stops; open answers are cut.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await app.StopAsync(now.Token).ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
        File.Delete(socketPath);
    }

    private static void Map(WebApplication app, IAgentView agent, AccessLogServer records)
    {
        app.MapGet("/v1/status", context => Send(context, StatusView.Of(agent.Snapshot, agent.Streams, agent.Steering, agent.Options)));
        app.MapGet("/v1/endpoints", context => Send(context, Endpoints(agent)));
        app.MapGet("/v1/identities", context => Send(context, agent.Snapshot.Node.Identities));
        app.MapGet("/v1/policies", context => Send(context, agent.Snapshot.Policies));
        app.MapGet("/v1/steering", context => Send(context, SteeringView.Of(agent.Snapshot.Steering, agent.Steering, agent.Options)));
        app.MapGet("/v1/steering/counters", context => Send(context, SteeringCountersView.Of(agent.Steering)));
        app.MapPost("/v1/policy/trace", context => TraceAsync(context, agent));
        app.MapGet("/v1/monitor", context => MonitorAsync(context, records));
    }

    private static List<EndpointView> Endpoints(IAgentView agent)
    {
        var snapshot = agent.Snapshot;
        var views = new List<EndpointView>();
        foreach (CompiledEndpoint endpoint in snapshot.Node.Endpoints)
        {
            views.Add(EndpointView.Of(endpoint, snapshot.PortOf));
        }
        return views;
    }

    private static async Task TraceAsync(HttpContext context, IAgentView agent)
    {
        try
        {
            var question = await JsonSerializer.DeserializeAsync<TraceQuestion>(context.Request.Body, ApiJson.Options, context.RequestAborted).ConfigureAwait(false)
                ?? throw new TraceException("the body is null; send a JSON object with from, to and port");
            await Send(context, agent.Trace(question)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TraceException or JsonException)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await Send(context, new ApiError(e.Message)).ConfigureAwait(false);
        }
    }

    private static async Task MonitorAsync(HttpContext context, AccessLogServer records)
    {
        using var reader = records.Subscribe(MostWaiting);
        context.Response.ContentType = "application/x-ndjson";
        await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        try
        {
            await foreach (var entry in reader.Reader.ReadAllAsync(context.RequestAborted).ConfigureAwait(false))
            {
                await JsonSerializer.SerializeAsync(context.Response.Body, MonitorEntry.Of(entry.Entry), ApiJson.Line, context.RequestAborted).ConfigureAwait(false);
                await context.Response.Body.WriteAsync("\n"u8.ToArray(), context.RequestAborted).ConfigureAwait(false);
                await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The reader left.
        }
    }

    private static Task Send<T>(HttpContext context, T value)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, value, ApiJson.Options, context.RequestAborted);
    }
}

/// <summary>Body of an answer that is not 200.</summary>
/// <param name="Error">One line.</param>
public sealed record ApiError(string Error);

using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Grpc.Client;
using Postern.Grpc.Server;

namespace Postern.Tests.Grpc.Fixture;

/// <summary>A server and a channel to it.</summary>
internal sealed class Pair : IAsyncDisposable
{
    private readonly string? folder;

    private Pair(GrpcServer server, GrpcChannel channel, EchoService echo, string? folder)
    {
        Server = server;
        Channel = channel;
        Echo = echo;
        this.folder = folder;
    }

    public GrpcServer Server { get; }

    public GrpcChannel Channel { get; }

    public EchoService Echo { get; }

    public CallInvoker Invoker => Channel.Invoker;

    public static async Task<Pair> StartAsync(
        bool unix = false,
        Func<GrpcServerOptions, GrpcServerOptions>? server = null,
        Func<GrpcChannelOptions, GrpcChannelOptions>? channel = null,
        IReadOnlyList<ServiceDefinition>? services = null)
    {
        var echo = new EchoService();
        var folder = unix ? Directory.CreateTempSubdirectory("postern-grpc-").FullName : null;
        EndPoint listen = unix ? new UnixDomainSocketEndPoint(Path.Combine(folder!, "s")) : new IPEndPoint(IPAddress.Loopback, 0);
        var serverOptions = new GrpcServerOptions { EndPoints = [listen], Services = services ?? [echo.Definition] };
        var started = new GrpcServer(server?.Invoke(serverOptions) ?? serverOptions);
        await started.StartAsync();
        var channelOptions = new GrpcChannelOptions { EndPoint = started.BoundEndPoints[0] };
        return new Pair(started, GrpcChannel.ForAddress(channel?.Invoke(channelOptions) ?? channelOptions), echo, folder);
    }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        await Server.DisposeAsync();
        if (folder is not null)
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

using System;
using System.IO;
using System.Net.Sockets;
using System.Threading.Tasks;
using Envoy.Service.Discovery.V3;
using Postern.Agent.Serve;
using Postern.Grpc;
using Postern.Grpc.Client;
using Postern.Grpc.Server;
using Postern.Xds.Discovery;

namespace Postern.Tests.Agent.Serve;

/// <summary>An xDS server on a unix socket of its own, and a client of it.</summary>
internal sealed class SocketRig : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("xds").FullName;
    private readonly GrpcServer host;
    private readonly GrpcChannel channel;

    private SocketRig()
    {
        var at = new UnixDomainSocketEndPoint(Path.Combine(folder, "xds.sock"));
        host = new GrpcServer(new GrpcServerOptions { EndPoints = [at], Services = Server.Definitions });
        channel = GrpcChannel.ForAddress(new GrpcChannelOptions { EndPoint = at, MaxReceiveMessageBytes = 64 << 20 });
    }

    public ResourceServer Server { get; } = new();

    public static async Task<SocketRig> StartAsync()
    {
        var rig = new SocketRig();
        await rig.host.StartAsync();
        return rig;
    }

    public StreamingCall<DiscoveryRequest, DiscoveryResponse> Open(ResourceType type) =>
        channel.Invoker.Open(new Method<DiscoveryRequest, DiscoveryResponse>(
            MethodType.DuplexStreaming, type.Service, type.StreamMethod, DiscoveryRequest.Parser, DiscoveryResponse.Parser));

    public async ValueTask DisposeAsync()
    {
        await channel.DisposeAsync();
        await Server.DisposeAsync();
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}

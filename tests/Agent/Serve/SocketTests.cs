using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading.Tasks;
using Envoy.Service.Discovery.V3;
using Postern.Agent.Serve;
using Postern.Grpc;
using StatusCode = Postern.Grpc.StatusCode;
using Postern.Grpc.Client;
using Postern.Grpc.Server;
using Postern.Xds.Discovery;
using static Postern.Tests.Agent.Serve.World;

namespace Postern.Tests.Agent.Serve;

/// <summary>The services over real gRPC on a unix socket.</summary>
public sealed class SocketTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("xds").FullName;
    private readonly ResourceServer server = new();
    private GrpcServer host = null!;
    private GrpcChannel channel = null!;

    public async Task InitializeAsync()
    {
        var at = new UnixDomainSocketEndPoint(Path.Combine(folder, "xds.sock"));
        host = new GrpcServer(new GrpcServerOptions { EndPoints = [at], Services = server.Definitions });
        await host.StartAsync();
        channel = GrpcChannel.ForAddress(new GrpcChannelOptions { EndPoint = at, MaxReceiveMessageBytes = 64 << 20 });
    }

    public async Task DisposeAsync()
    {
        await channel.DisposeAsync();
        await server.DisposeAsync();
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task TenThousandPolicies_ArriveAndAreAcked()
    {
        var type = ResourceType.NetworkPolicy;
        var version = server.Publish(type, Enumerable.Range(1, 10_000).ToDictionary(id => $"{id}", id => Set(type, $"{id}={new string('x', 500)}").Values.Single()));
        await using var call = Open(type);
        await call.WriteAsync(First());
        var response = await call.ReadAsync();
        Assert.Equal(10_000, response!.Resources.Count);
        await call.WriteAsync(Ack(response));
        Assert.Equal(AckOutcome.Acked, (await server.WaitAsync(type, version)).Outcome);
    }

    [Fact]
    public async Task BrokenProtocol_EndsInInvalidArgument()
    {
        await using var call = Open(ResourceType.Listener);
        await call.WriteAsync(new DiscoveryRequest());
        var end = await Assert.ThrowsAsync<RpcException>(async () => await call.ReadAsync());
        Assert.Equal(StatusCode.InvalidArgument, end.StatusCode);
        Assert.Contains("node", end.Status.Detail);
    }

    private StreamingCall<DiscoveryRequest, DiscoveryResponse> Open(ResourceType type) =>
        channel.Invoker.Open(new Method<DiscoveryRequest, DiscoveryResponse>(
            MethodType.DuplexStreaming, type.Service, type.StreamMethod, DiscoveryRequest.Parser, DiscoveryResponse.Parser));
}

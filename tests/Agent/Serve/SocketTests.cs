using System.Linq;
using System.Threading.Tasks;
using Envoy.Service.Discovery.V3;
using Postern.Agent.Serve;
using Postern.Grpc;
using Postern.Xds.Discovery;
using static Postern.Tests.Agent.Serve.World;

namespace Postern.Tests.Agent.Serve;

/// <summary>The services over real gRPC.</summary>
public sealed class SocketTests
{
    [Fact]
    public async Task TenThousandPolicies_ArriveAndAreAcked()
    {
        await using var rig = await SocketRig.StartAsync();
        var type = ResourceType.NetworkPolicy;
        var version = rig.Server.Publish(type, Enumerable.Range(1, 10_000).ToDictionary(id => $"{id}", id => Set(type, $"{id}={new string('x', 500)}").Values.Single()));
        await using var call = rig.Open(type);
        await call.WriteAsync(First());
        var response = await call.ReadAsync();
        Assert.Equal(10_000, response!.Resources.Count);
        await call.WriteAsync(Ack(response));
        Assert.Equal(AckOutcome.Acked, (await rig.Server.WaitAsync(type, version)).Outcome);
    }

    [Fact]
    public async Task BrokenProtocol_EndsInInvalidArgument()
    {
        await using var rig = await SocketRig.StartAsync();
        await using var call = rig.Open(ResourceType.Listener);
        await call.WriteAsync(new DiscoveryRequest());
        var end = await Assert.ThrowsAsync<RpcException>(async () => await call.ReadAsync());
        Assert.Equal(StatusCode.InvalidArgument, end.StatusCode);
        Assert.Contains("node", end.Status.Detail);
    }
}

using System.Threading.Tasks;
using Postern.Grpc;
using Postern.Grpc.Health;
using Postern.Grpc.Health.V1;
using Postern.Tests.Grpc.Fixture;
using ServingStatus = Postern.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Postern.Tests.Grpc.Health;

public sealed class HealthServiceTests
{
    [Fact]
    public async Task Check_TellsWhatWasSet()
    {
        var health = new HealthService();
        await using var pair = await Pair.StartAsync(services: [health.Definition]);
        Assert.Equal(ServingStatus.Serving, await Check(pair, ""));
        health.SetServing("a.B", false);
        Assert.Equal(ServingStatus.NotServing, await Check(pair, "a.B"));
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => Check(pair, "nobody")).Within()).StatusCode);
    }

    [Fact]
    public async Task Watch_TellsEachChange()
    {
        var health = new HealthService();
        await using var pair = await Pair.StartAsync(services: [health.Definition]);
        await using var watch = pair.Invoker.Open(HealthService.Watch);
        await watch.WriteAsync(new HealthCheckRequest { Service = "a.B" }).Within();
        await watch.CompleteAsync().Within();
        Assert.Equal(ServingStatus.ServiceUnknown, (await watch.ReadAsync().Within())!.Status);
        health.SetServing("a.B", true);
        Assert.Equal(ServingStatus.Serving, (await watch.ReadAsync().Within())!.Status);
        health.SetServing("other", true);
        health.SetServing("a.B", false);
        Assert.Equal(ServingStatus.NotServing, (await watch.ReadAsync().Within())!.Status);
    }

    private static async Task<ServingStatus> Check(Pair pair, string service) =>
        (await pair.Invoker.UnaryAsync(HealthService.Check, new HealthCheckRequest { Service = service }).Within()).Status;
}

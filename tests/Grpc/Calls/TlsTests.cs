using System.Threading.Tasks;
using Postern.Grpc;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Calls;

public sealed class TlsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MutualTls_CarriesCalls(bool unix)
    {
        using var certificates = new Certificates();
        await using var pair = await Pair.StartAsync(unix, options => options with { Tls = certificates.Server }, options => options with { Tls = certificates.Client() });
        Assert.Equal("x", (await pair.Invoker.UnaryAsync(EchoService.Unary, Text.Of("x")).Within()).Value);
    }

    [Fact]
    public async Task ClientWithoutACertificate_IsRefused()
    {
        using var certificates = new Certificates();
        await using var pair = await Pair.StartAsync(false, options => options with { Tls = certificates.Server }, options => options with { Tls = certificates.Client(withCertificate: false) });
        Assert.Equal(StatusCode.Unavailable, await StatusOf(pair));
    }

    [Fact]
    public async Task ServerOfAnotherAuthority_IsRefused()
    {
        using var certificates = new Certificates();
        using var others = new Certificates();
        await using var pair = await Pair.StartAsync(false, options => options with { Tls = others.Server }, options => options with { Tls = certificates.Client() });
        Assert.Equal(StatusCode.Unavailable, await StatusOf(pair));
    }

    private static async Task<StatusCode> StatusOf(Pair pair) =>
        (await Assert.ThrowsAsync<RpcException>(() => pair.Invoker.UnaryAsync(EchoService.Unary, Text.Of("x"))).Within()).StatusCode;
}

using System;
using System.Security.Authentication;
using System.Threading.Tasks;
using Postern.Xds.Config;
using static Postern.Tests.Proxy.Tls.Handshake;

namespace Postern.Tests.Proxy.Tls;

/// <summary>
/// Sessions are resumed where that is allowed, and not where it is not. .NET does not say whether a handshake was one: a resumed one of TLS 1.3 sends no
/// certificate, so the server's side of it is far smaller.
/// </summary>
public sealed class ResumptionTests : IDisposable
{
    private readonly TestAuthority authority = new();

    public void Dispose() => authority.Dispose();

    [Theory]
    [InlineData(true, true, false, true)]
    [InlineData(false, true, false, false)]
    [InlineData(true, false, false, false)]
    [InlineData(true, true, true, false)]
    public async Task SecondHandshake_IsResumedWhereBothSidesAllowAndNoClientCertificateIsAskedFor(bool server, bool client, bool mutual, bool resumed)
    {
        using var middle = authority.Intermediate("middle"); // makes a full handshake longer
        var trust = new ValidationContextConfig("ca", authority.Pem);
        var serving = ServerContext(Server1(middle.Issue(Leaf.Host("server.test")), mutual ? trust : null) with { AllowResumption = server });
        var name = $"{Guid.NewGuid():N}.test"; // sessions are kept by name, process-wide
        var pinned = trust with { SubjectAltNames = [new(SubjectAltNameKind.Dns, new(Postern.Policy.Config.StringMatchKind.Exact, "server.test", false))] };
        var asking = ClientContext(Client1(pinned, name) with { AllowResumption = client });
        var first = await BytesAsync(serving, asking);
        var second = await BytesAsync(serving, asking);
        Assert.True(resumed ? second < first / 2 : second > first * 3 / 4, $"the server sent {first} bytes, then {second}");
    }

    private static async Task<long> BytesAsync(Postern.Proxy.Tls.TlsServerContext server, Postern.Proxy.Tls.TlsClientContext client)
    {
        await using var shake = await RunAsync(server.Options, client.Options);
        Assert.True(shake.Succeeded, shake.ClientRefusal ?? shake.ServerRefusal);
        Assert.Equal(SslProtocols.Tls13, shake.Client.SslProtocol);
        return shake.BytesFromServer;
    }
}

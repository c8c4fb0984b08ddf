using System;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Tasks;
using Postern.Policy.Config;

namespace Postern.Tests.Proxy.Tls;

/// <summary>A certificate is replaced while connections are open and others come: open ones live, new ones get the new one, none is refused.</summary>
public sealed class TlsRotationTests
{
    [Fact]
    public async Task RotationUnderLoad_OpenConnectionsLiveAndNewOnesGetTheNewCertificate()
    {
        await using var rig = await TlsRig.StartAsync(_ => new PortRuleConfig { RemotePolicies = [7], DownstreamTlsContext = TlsRig.Named("own") });
        Send(rig, "1", out var first);
        await using var client = await OpenAsync(rig);
        await using var server = await rig.AcceptAsync();
        Assert.Equal(first, Thumbprint(client));

        var seen = first;
        var load = Task.Run(async () =>
        {
            for (var i = 0; i < 60; i++)
            {
                await using var other = await OpenAsync(rig);
                await using var end = await rig.AcceptAsync();
                await TlsRig.PassAsync(other, end);
                seen = Thumbprint(other);
            }
        });
        var last = "";
        for (var version = 2; version < 12; version++)
        {
            Send(rig, $"{version}", out last);
            await TlsRig.PassAsync(client, server);
        }
        await load;
        await using var newest = await OpenAsync(rig);
        Assert.Equal(last, Thumbprint(newest));
        await TlsRig.PassAsync(client, server);
        Assert.DoesNotContain(rig.Records.Seen, r => r.Fields["reason"].Length > 0);
    }

    [Fact]
    public async Task OpenRawConnection_IsClosedWhenPolicyAsksToTerminateIt()
    {
        await using var rig = await TlsRig.StartAsync(_ => new PortRuleConfig { RemotePolicies = [7] });
        var serving = rig.AcceptTlsAsync();
        await using var client = await rig.DialTlsAsync();
        await using var server = await serving;
        await TlsRig.PassAsync(client, server);
        rig.Send("2", new PortRuleConfig { RemotePolicies = [7], DownstreamTlsContext = rig.Terminate() });
        await rig.ReviewAsync();
        Assert.Equal("!", await TlsRig.ReadToEndAsync(server));
        Assert.Contains("tls_context_required", (await rig.RecordAsync("policy_changed")).Fields["detail"], StringComparison.Ordinal);
    }

    private static void Send(TlsRig rig, string version, out string thumbprint)
    {
        var issued = rig.Authority.Issue(Leaf.Host(TlsRig.Name), out var certificate);
        thumbprint = certificate.Thumbprint;
        Assert.Empty(rig.Discovery.Plane.Find("SDS own").Send(version, ("own", issued with { Name = "own" })));
    }

    private static async Task<SslStream> OpenAsync(TlsRig rig) => await rig.DialTlsAsync();

    private static string Thumbprint(SslStream stream) => ((X509Certificate2)stream.RemoteCertificate!).Thumbprint;
}

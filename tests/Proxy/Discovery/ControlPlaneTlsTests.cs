using System;
using System.Net;
using System.Net.Security;
using System.Threading;
using System.Threading.Tasks;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Postern.Grpc;
using Postern.Grpc.Server;
using Postern.Proxy.Discovery;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>The way to a control plane over TLS, as the bootstrap's cluster says: who is trusted, and who we are.</summary>
public sealed class ControlPlaneTlsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("control-plane.test")]
    [InlineData("")]
    public async Task TrustedServerAndKnownClient_Talk(string sni)
    {
        using var pki = new Pki();
        Assert.Equal("hello", await AskAsync(pki, pki.Authority, pki.Client, sni));
    }

    [Fact]
    public async Task ServerOfAnotherAuthority_IsNotTrusted()
    {
        using var pki = new Pki();
        using var other = new Pki();
        var error = await Assert.ThrowsAsync<RpcException>(() => AskAsync(pki, other.Authority, pki.Client, "control-plane.test"));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    [Fact]
    public async Task ServerOfAnotherName_IsNotTrusted()
    {
        using var pki = new Pki();
        await Assert.ThrowsAsync<RpcException>(() => AskAsync(pki, pki.Authority, pki.Client, "elsewhere.test"));
    }

    [Fact]
    public async Task ClientWithoutCertificate_IsRefusedByTheServer()
    {
        using var pki = new Pki();
        await Assert.ThrowsAsync<RpcException>(() => AskAsync(pki, pki.Authority, null, "control-plane.test"));
    }

    private static async Task<string> AskAsync(Pki server, ByteString trusted, TlsCertificateConfig? own, string sni)
    {
        var method = new Method<DiscoveryRequest, DiscoveryResponse>(
            MethodType.DuplexStreaming, ResourceType.Cluster.Service, ResourceType.Cluster.StreamMethod, DiscoveryRequest.Parser, DiscoveryResponse.Parser);
        var service = new ServiceDefinition(ResourceType.Cluster.Service).Add(method, static async (requests, responses, context) =>
        {
            await requests.ReadAsync(context.CancellationToken);
            await responses.WriteAsync(new DiscoveryResponse { VersionInfo = "hello" }, context.CancellationToken);
        });
        await using var host = new GrpcServer(new GrpcServerOptions
        {
            EndPoints = [new IPEndPoint(IPAddress.Loopback, 0)],
            Services = [service],
            Tls = new SslServerAuthenticationOptions { ServerCertificate = server.Server, ClientCertificateRequired = true, RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null && server.Issued(certificate) },
        });
        await host.StartAsync();
        var cluster = new ClusterConfig("xds", ClusterType.Static, TimeSpan.FromSeconds(2), [host.BoundEndPoints[0]])
        {
            Tls = new UpstreamTlsConfig(new CommonTlsConfig { Certificates = own is null ? [] : [own], Validation = new ValidationContextConfig("", trusted) }, sni),
        };
        await using var channels = new ControlPlaneChannels(new BootstrapConfig { Node = new(), StaticListeners = [], StaticClusters = [cluster] });
        using var deadline = new CancellationTokenSource(Limit);
        await using var stream = channels.For(new GrpcSourceConfig("xds", DiscoveryVariant.StateOfTheWorld, null))
            .Open<DiscoveryRequest, DiscoveryResponse>(method.ServiceName, method.Name, static bytes => DiscoveryResponse.Parser.ParseFrom(bytes), deadline.Token);
        await stream.WriteAsync(new DiscoveryRequest(), deadline.Token);
        return (await stream.ReadAsync(deadline.Token))!.VersionInfo;
    }
}

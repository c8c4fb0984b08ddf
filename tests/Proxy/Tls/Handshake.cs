using System;
using System.IO;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Tls;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Tls;

/// <summary>One handshake in memory between our two sides, and what came of it.</summary>
internal sealed class Handshake : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private Handshake(SslStream server, SslStream client)
    {
        Server = server;
        Client = client;
    }

    public SslStream Server { get; }

    public SslStream Client { get; }

    /// <summary>Why our server refused its client, or null.</summary>
    public string? ServerRefusal => PeerCheck.RefusalOf(Server);

    /// <summary>Why our client refused its server, or null.</summary>
    public string? ClientRefusal => PeerCheck.RefusalOf(Client);

    /// <summary>What the server sent until its side of the handshake was over.</summary>
    public long BytesFromServer { get; private set; }

    /// <summary>Whether both ends got through and a byte came there and back.</summary>
    public bool Succeeded { get; private set; }

    public static TlsServerContext ServerContext(DownstreamTlsConfig config) =>
        TlsServerContext.TryBuild(config, Material(config.Common), TimeProvider.System, out var problem) ?? throw new InvalidOperationException(problem!.ToString());

    public static TlsClientContext ClientContext(UpstreamTlsConfig config) =>
        TlsClientContext.TryBuild(config, Material(config.Common), TimeProvider.System, out var problem) ?? throw new InvalidOperationException(problem!.ToString());

    public static DownstreamTlsConfig Server1(TlsCertificateConfig certificate, ValidationContextConfig? validation = null, bool require = false) =>
        new(new CommonTlsConfig { Certificates = [certificate], Validation = validation }, require, RequireSni: false, AllowResumption: true);

    public static UpstreamTlsConfig Client1(ValidationContextConfig validation, string sni = "", TlsCertificateConfig? certificate = null) =>
        new(new CommonTlsConfig { Validation = validation, Certificates = certificate is null ? [] : [certificate] }, sni);

    public static Task<Handshake> RunAsync(DownstreamTlsConfig server, UpstreamTlsConfig client) =>
        RunAsync(ServerContext(server).Options, ClientContext(client).Options);

    public static async Task<Handshake> RunAsync(SslServerAuthenticationOptions server, SslClientAuthenticationOptions client)
    {
        var (one, other) = DuplexMemory.Pair();
        var result = new Handshake(new SslStream(one), new SslStream(other));
        using var limit = new CancellationTokenSource(Limit);
        var serving = GuardAsync(() => result.Server.AuthenticateAsServerAsync(server, limit.Token), one);
        var asking = GuardAsync(() => result.Client.AuthenticateAsClientAsync(client, limit.Token), other);
        var both = await serving & await asking;
        result.BytesFromServer = one.Written;
        // With TLS 1.3 a client is through before the server has judged its certificate: only a byte that comes back shows that both are content.
        result.Succeeded = both && await result.EchoAsync();
        return result;
    }

    /// <summary>Sends a byte there and back; both ends then also have taken in the session tickets that came behind the handshake.</summary>
    public async Task<bool> EchoAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var buffer = new byte[1];
            await Client.WriteAsync("?"u8.ToArray(), limit.Token);
            await Client.FlushAsync(limit.Token);
            await Server.ReadExactlyAsync(buffer, limit.Token);
            await Server.WriteAsync(buffer, limit.Token);
            await Server.FlushAsync(limit.Token);
            await Client.ReadExactlyAsync(buffer, limit.Token);
            return Encoding.ASCII.GetString(buffer) == "?";
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return false;
        }
    }

    public static X509Certificate2? Shown(SslStream stream) => stream.RemoteCertificate as X509Certificate2;

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }

    private static async Task<bool> GuardAsync(Func<Task> handshake, Stream transport)
    {
        try
        {
            await handshake();
            return true;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            await transport.DisposeAsync(); // the other end must not wait
            return false;
        }
    }

    private static TlsMaterial Material(CommonTlsConfig common) =>
        TlsMaterial.TryResolve(common, static _ => null, out var problem) ?? throw new InvalidOperationException(problem!.ToString());
}

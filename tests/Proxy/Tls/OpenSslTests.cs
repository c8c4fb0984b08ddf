using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Tls;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Tls;

/// <summary>Our two sides against OpenSSL's, over loopback.</summary>
public sealed class OpenSslTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);
    private readonly TestAuthority root = new();
    private readonly string folder = Directory.CreateTempSubdirectory("postern-tls-").FullName;

    public void Dispose()
    {
        root.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private ValidationContextConfig Trust => new("ca", root.Pem);

    private string Write(string name, Google.Protobuf.ByteString content)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, content.ToByteArray());
        return path;
    }

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(OpenSslTheoryAttribute.Command, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        return Process.Start(start)!;
    }

    private static SslProtocols Version(string flag) => flag == "-tls1_3" ? SslProtocols.Tls13 : SslProtocols.Tls12;

    [OpenSslTheory]
    [InlineData("-tls1_2", true)]
    [InlineData("-tls1_3", true)]
    [InlineData("-tls1_2", false)]
    [InlineData("-tls1_3", false)]
    public async Task OpenSslClient_TalksToOurServer(string flag, bool withCertificate)
    {
        using var middle = root.Intermediate("middle");
        var client = root.Issue(Leaf.Host("client.test"));
        var config = Handshake.Server1(middle.Issue(Leaf.Host("server.test")), Trust, require: true);
        var context = Handshake.ServerContext(config with { Common = config.Common with { AlpnProtocols = ["h2", "http/1.1"] } });
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var limit = new CancellationTokenSource(Limit);
        string[] certificate = withCertificate ? ["-cert", Write("client.pem", client.CertificateChain), "-key", Write("client.key", client.PrivateKey)] : [];
        using var openssl = Start(
            ["s_client", "-connect", listener.LocalEndpoint.ToString()!, flag, "-servername", "server.test", "-CAfile", Write("ca.pem", root.Pem), "-verify_return_error", "-alpn", "http/1.1", .. certificate]);
        var output = openssl.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = openssl.StandardError.ReadToEndAsync(limit.Token);

        string? refusal;
        using (var connection = await listener.AcceptTcpClientAsync(limit.Token))
        {
            await using var stream = new SslStream(connection.GetStream());
            try
            {
                await stream.AuthenticateAsServerAsync((_, hello, _, _) => ValueTask.FromResult(context.Select(hello.ServerName)!), null, limit.Token);
                await stream.WriteAsync("hello from postern\n"u8.ToArray(), limit.Token);
                await stream.ShutdownAsync();
            }
            catch (AuthenticationException)
            {
            }
            refusal = PeerCheck.RefusalOf(stream);
            if (refusal is null)
            {
                Assert.Equal((Version(flag), "http/1.1", "server.test"), (stream.SslProtocol, stream.NegotiatedApplicationProtocol.ToString(), stream.TargetHostName));
            }
        }
        openssl.StandardInput.Close();
        var text = await output + await errors;
        await openssl.WaitForExitAsync(limit.Token);
        Assert.Equal(withCertificate ? null : "no certificate was shown", refusal);
        Assert.Equal(withCertificate, text.Contains("hello from postern", StringComparison.Ordinal));
        Assert.True(!withCertificate || text.Contains("Verify return code: 0 (ok)", StringComparison.Ordinal), text);
        Assert.True(!withCertificate || text.Contains("Acceptable client certificate CA names\n" + root.Subject.Replace("=", " = ", StringComparison.Ordinal), StringComparison.Ordinal), text);
    }

    [OpenSslTheory]
    [InlineData("-tls1_2", "server.test")]
    [InlineData("-tls1_3", "server.test")]
    [InlineData("-tls1_3", "other.test")]
    public async Task OurClient_TalksToAnOpenSslServer(string flag, string name)
    {
        using var middle = root.Intermediate("middle");
        var server = middle.Issue(Leaf.Host("server.test"));
        var chain = Write("server.pem", server.CertificateChain);
        using var limit = new CancellationTokenSource(Limit);
        using var openssl = Start(
            "s_server", "-accept", "127.0.0.1:0", flag, "-cert", chain, "-cert_chain", chain, "-key", Write("server.key", server.PrivateKey), "-CAfile", Write("ca.pem", root.Pem),
            "-Verify", "2", "-verify_return_error", "-alpn", "h2", "-rev", "-naccept", "1");
        try
        {
            var port = await PortAsync(openssl, limit.Token);
            var config = Handshake.Client1(Trust, name, root.Issue(Leaf.Host("client.test")));
            var context = Handshake.ClientContext(config with { Common = config.Common with { AlpnProtocols = ["h2"] } });
            using var connection = new TcpClient();
            await connection.ConnectAsync(IPAddress.Loopback, port, limit.Token);
            await using var stream = new SslStream(connection.GetStream());
            if (name != "server.test")
            {
                await Assert.ThrowsAsync<AuthenticationException>(() => stream.AuthenticateAsClientAsync(context.Options, limit.Token));
                Assert.Equal("the certificate is for another host name", PeerCheck.RefusalOf(stream));
                return;
            }
            await stream.AuthenticateAsClientAsync(context.Options, limit.Token);
            Assert.Equal((Version(flag), "h2"), (stream.SslProtocol, stream.NegotiatedApplicationProtocol.ToString()));
            await stream.WriteAsync("olleh\n"u8.ToArray(), limit.Token);
            var answer = new byte[6];
            await stream.ReadExactlyAsync(answer, limit.Token);
            Assert.Equal("hello\n", Encoding.ASCII.GetString(answer));
        }
        finally
        {
            openssl.Kill();
            await openssl.WaitForExitAsync(CancellationToken.None);
        }
    }

    // "ACCEPT 127.0.0.1:43211"
    private static async Task<int> PortAsync(Process openssl, CancellationToken cancellation)
    {
        var seen = new StringBuilder();
        while (await openssl.StandardOutput.ReadLineAsync(cancellation) is { } line)
        {
            seen.AppendLine(line);
            if (line.StartsWith("ACCEPT ", StringComparison.Ordinal) && IPEndPoint.TryParse(line["ACCEPT ".Length..], out var endpoint))
            {
                return endpoint.Port;
            }
        }
        throw new InvalidOperationException($"openssl s_server ended: {seen}{await openssl.StandardError.ReadToEndAsync(cancellation)}");
    }
}

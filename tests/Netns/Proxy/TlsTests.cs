using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Tasks;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>TLS passes the proxy unopened; what policy knows of it is the server name.</summary>
public sealed class TlsTests : IDisposable
{
    private const string Empire = ",\"server_names\":[\"*.empire.example\"]";
    private readonly ProxyRig _rig = new();
    private readonly X509Certificate2 _certificate = MakeCertificate();
    private TcpOrigin _server = null!;

    public void Dispose()
    {
        _rig.Dispose();
        _certificate.Dispose();
    }

    [NetnsFact]
    public async Task AllowedServerName_HandshakesWithTheServerEndToEnd()
    {
        Start(ConfigText.Port(443, ConfigText.Rule(1001, Empire)));

        Assert.Equal("echo: " + new string('x', 100_000), await AskAsync("deathstar.empire.example", new string('x', 100_000)));
    }

    [NetnsTheory]
    [InlineData("deathstar.rebels.example")]
    [InlineData("empire.example.evil.test")]
    [InlineData("")]
    public async Task OtherServerName_IsResetAndTheRecordSaysWhy(string name)
    {
        Start(ConfigText.Port(443, ConfigText.Rule(1001, Empire)));

        await Assert.ThrowsAsync<IOException>(() => AskAsync(name, "secret"));

        var record = _rig.WaitForRecord(r => r.Text("entry_type") == "Denied");
        Assert.Equal(("server_name_mismatch", name), (record.Text("reason"), record.Text("sni")));
        Assert.Equal(0, _server.Accepts);
    }

    [NetnsFact]
    public async Task PlainBytesWhereAServerNameIsDemanded_AreRefused()
    {
        Start(ConfigText.Port(443, ConfigText.Rule(1001, Empire)));

        Assert.Equal("reset", _rig.Try("/", ProxyRig.Server + ":443"));
        Assert.Equal(0, _server.Accepts);
        await Task.CompletedTask;
    }

    [NetnsFact]
    public async Task PortWithHttpRules_RefusesTlsItCannotLookInto()
    {
        Start(ConfigText.Port(443, ConfigText.HttpRule(1001, "/public.*")));

        await Assert.ThrowsAsync<IOException>(() => AskAsync("deathstar.empire.example", "GET /public HTTP/1.1\r\n\r\n"));

        Assert.Equal("no_http_rule_matched", _rig.WaitForRecord(r => r.Text("entry_type") == "Denied").Text("reason"));
        Assert.Equal(0, _server.Accepts);
    }

    [NetnsFact]
    public async Task HelloInManySegments_IsStillRead()
    {
        Start(ConfigText.Port(443, ConfigText.Rule(1001, Empire)));

        using var client = _rig.Connect(ProxyRig.Server + ":443");
        using var tls = new SslStream(new Dribble(new NetworkStream(client.Socket)), false, IsOurs);
        await tls.AuthenticateAsClientAsync("deathstar.empire.example").WaitAsync(Patience.Limit);

        Assert.Equal(_certificate.GetCertHashString(), tls.RemoteCertificate!.GetCertHashString());
    }

    [NetnsFact]
    public void MalformedHello_IsRefused()
    {
        Start(ConfigText.Port(443, ConfigText.Rule(1001, Empire)));
        using var client = _rig.Connect(ProxyRig.Server + ":443");

        // A record header that promises a hello, then nonsense.
        client.Socket.Send([22, 3, 1, 0, 8, 1, 0xff, 0xff, 0xff, 1, 2, 3, 4]);

        Assert.Equal("reset", client.ReadEnd());
        Assert.Equal(0, _server.Accepts);
    }

    private void Start(string port)
    {
        _rig.PutPolicy(ConfigText.ServerAccepts(port));
        _server = _rig.Own(new TcpOrigin(_rig.Net.Server, 443, EchoAsync));
        _rig.Start("--steer", "port=443,proxy-port=15001");
    }

    private async Task EchoAsync(Socket socket)
    {
        using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsServerAsync(_certificate);
        using var reader = new StreamReader(tls, Encoding.ASCII);
        var line = await reader.ReadLineAsync();
        await tls.WriteAsync(Encoding.ASCII.GetBytes($"echo: {line}\n"));
        await tls.ShutdownAsync();
    }

    private async Task<string?> AskAsync(string name, string text)
    {
        using var client = _rig.Connect(ProxyRig.Server + ":443");
        using var tls = new SslStream(new NetworkStream(client.Socket), false, IsOurs);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name }).WaitAsync(Patience.Limit);
        Assert.Equal(_certificate.GetCertHashString(), tls.RemoteCertificate!.GetCertHashString());
        await tls.WriteAsync(Encoding.ASCII.GetBytes(text + "\n"));
        using var reader = new StreamReader(tls, Encoding.ASCII);
        return await reader.ReadLineAsync().WaitAsync(Patience.Limit);
    }

    private bool IsOurs(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate?.GetCertHashString() == _certificate.GetCertHashString();

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=deathstar.empire.example", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Writes few bytes at a time, each in a segment of its own.</summary>
    private sealed class Dribble(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, System.Threading.CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, System.Threading.CancellationToken cancellationToken = default)
        {
            for (var i = 0; i < buffer.Length; i += 7)
            {
                await inner.WriteAsync(buffer[i..Math.Min(i + 7, buffer.Length)], cancellationToken);
                await Task.Yield();
            }
        }
    }
}

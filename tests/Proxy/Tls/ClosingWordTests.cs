using System;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;
using Postern.Policy.Config;
using Postern.Proxy.Tls;

namespace Postern.Tests.Proxy.Tls;

/// <summary>close_notify next to a reader: it neither fails nor takes what the peer sent.</summary>
public sealed class ClosingWordTests
{
    [Fact]
    public async Task AskedWhileTheReaderDecrypts_IsSaidWhenItIsDone()
    {
        var (one, other) = DuplexMemory.Pair();
        var hooked = new HookedStream(one);
        await using var client = new SecureStream(hooked);
        await using var server = await HandshakeAsync(client, other);

        // The bytes are there, so the reader does not wait for them: it may be decrypting until it is done.
        await server.WriteAsync("one"u8.ToArray());
        Task? end = null;
        long saidWithin = -1;
        hooked.OnRead = () =>
        {
            hooked.OnRead = null;
            var before = one.Written;
            end = client.EndAsync();
            saidWithin = one.Written - before;
        };
        var buffer = new byte[10];
        Assert.Equal(3, await ReadTextAsync(client, buffer));
        Assert.NotNull(end);
        await end.WaitAsync(TlsRig.Patience);
        Assert.Equal(0, saidWithin);
        Assert.Equal(0, await server.ReadAsync(buffer).AsTask().WaitAsync(TlsRig.Patience)); // the peer was told, without an end of the transport
        await server.WriteAsync("two"u8.ToArray());
        Assert.Equal(3, await ReadTextAsync(client, buffer)); // and is heard on
    }

    [Fact]
    public async Task AskedWhileNobodyReads_IsSaidAtOnce()
    {
        var (one, other) = DuplexMemory.Pair();
        await using var client = new SecureStream(one);
        await using var server = await HandshakeAsync(client, other);
        await client.EndAsync().WaitAsync(TlsRig.Patience);
        Assert.Equal(0, await server.ReadAsync(new byte[10]).AsTask().WaitAsync(TlsRig.Patience));
    }

    // With tickets of TLS 1.3 on their way to the proxy, in which OpenSSL's own SSL_shutdown fails.
    [Fact]
    public async Task HalfCloseRightAfterTheHandshake_AlwaysReachesTheUpstream()
    {
        await using var rig = await TlsRig.StartAsync(r => new PortRuleConfig { UpstreamTlsContext = r.Originate() }, chain: c => c with { TlsByPolicy = false });
        for (var i = 0; i < 200; i++)
        {
            await using var client = await rig.DialAsync();
            await using var upstream = await rig.AcceptTlsAsync();
            client.Socket.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, await upstream.ReadAsync(new byte[10]).AsTask().WaitAsync(TlsRig.Patience));
        }
    }

    private static async Task<int> ReadTextAsync(SecureStream stream, byte[] buffer) => await stream.ReadAsync(buffer).AsTask().WaitAsync(TlsRig.Patience);

    private static async Task<SecureStream> HandshakeAsync(SslStream client, Stream other)
    {
        using var authority = new TestAuthority();
        var server = new SecureStream(other);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        trust.CustomTrustStore.ImportFromPem(authority.Pem.ToStringUtf8());
        await Task.WhenAll(
            server.AuthenticateAsServerAsync(Handshake.ServerContext(Handshake.Server1(authority.Issue(Leaf.Host(TlsRig.Name)))).Options),
            client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = TlsRig.Name, CertificateChainPolicy = trust })).WaitAsync(TlsRig.Patience);
        return server;
    }

    /// <summary>Calls somebody within a read.</summary>
    private sealed class HookedStream(Stream inner) : Stream
    {
        public Action? OnRead { get; set; }

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            OnRead?.Invoke();
            return inner.ReadAsync(buffer, cancellationToken);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override void Flush() => inner.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

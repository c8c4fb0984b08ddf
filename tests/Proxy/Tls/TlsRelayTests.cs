using System;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading.Tasks;
using Postern.Policy.Config;
using Postern.Proxy.Tls;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Tls;

/// <summary>Bytes between a client and a server, TLS on either leg or both, given by policy: each end of each side, and many bytes.</summary>
public sealed class TlsRelayTests
{
    private static Task<TlsRig> StartAsync(bool down, bool up) => TlsRig.StartAsync(rig => new PortRuleConfig
    {
        RemotePolicies = [7],
        DownstreamTlsContext = down ? rig.Terminate() : null,
        UpstreamTlsContext = up ? rig.Originate() : null,
    });

    private static async Task<(Stream Client, Stream Server)> OpenAsync(TlsRig rig, bool down, bool up)
    {
        var dialling = down ? Up(rig.DialTlsAsync()) : Up(rig.DialAsync());
        var server = up ? await rig.AcceptTlsAsync() : (Stream)await rig.AcceptAsync();
        return (await dialling, server);

        static async Task<Stream> Up<T>(Task<T> task)
            where T : Stream => await task;
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task HalfCloses_GoThroughInOrderAndReadingGoesOn(bool down, bool up)
    {
        await using var rig = await StartAsync(down, up);
        var (client, server) = await OpenAsync(rig, down, up);
        await TlsRig.PassAsync(server, client, "server first");
        await TlsRig.PassAsync(client, server);
        await EndAsync(server);
        Assert.Equal("", await TlsRig.ReadToEndAsync(client));
        await TlsRig.PassAsync(client, server, "still here");
        await client.WriteAsync("last"u8.ToArray());
        await EndAsync(client);
        Assert.Equal("last", await TlsRig.ReadToEndAsync(server));
        await client.DisposeAsync();
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FinWithoutCloseNotify_IsAResetToTheOtherSide(bool fromClient)
    {
        await using var rig = await StartAsync(fromClient, !fromClient);
        var (client, server) = await OpenAsync(rig, fromClient, !fromClient);
        await TlsRig.PassAsync(client, server);
        await TlsRig.PassAsync(server, client);
        var (broken, other) = fromClient ? (client, server) : (server, client);
        await broken.WriteAsync("part"u8.ToArray());
        await broken.DisposeAsync(); // says nothing but FIN
        Assert.Equal("part!", await TlsRig.ReadToEndAsync(other));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task ResetOfOneSide_IsAResetOfTheOther(bool down, bool up)
    {
        await using var rig = await StartAsync(down, up);
        var (client, server) = await OpenAsync(rig, down, up);
        await TlsRig.PassAsync(client, server);
        var socket = TlsRig.SocketOf(server);
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
        Assert.Equal("!", await TlsRig.ReadToEndAsync(client));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task FiftyMegabytesBothWaysWithReadersThatStop_ArriveWhole(bool down, bool up)
    {
        const int Size = 50_000_000;
        await using var rig = await StartAsync(down, up);
        var (client, server) = await OpenAsync(rig, down, up);
        var data = RandomNumberGenerator.GetBytes(Size);
        var sends = Task.WhenAll(SendAsync(client, data), SendAsync(server, data));
        var hashes = await Task.WhenAll(
            HashAsync(client, Size, () => IsHeld(rig.ClusterStat, "upstream")),
            HashAsync(server, Size, () => IsHeld(rig.Stat, ".downstream")));
        await sends.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(SHA256.HashData(data), hashes[0]);
        Assert.Equal(SHA256.HashData(data), hashes[1]);
        await client.DisposeAsync();
        await server.DisposeAsync();
    }

    private static async Task SendAsync(Stream stream, byte[] data)
    {
        await stream.WriteAsync(data);
        await EndAsync(stream);
    }

    // The proxy has read something that the other side does not take now.
    private static bool IsHeld(Func<string, long> stat, string side) => stat(side + "_flow_control_paused_reading_total") > stat(side + "_flow_control_resumed_reading_total");

    // Reads nothing until the proxy is held, and stops again on the way; the kernel may not take for this side what the test wants to wait.
    private static async Task<byte[]> HashAsync(Stream stream, int size, Func<bool> isHeld)
    {
        TlsRig.SocketOf(stream).ReceiveBufferSize = 128 * 1024;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[100_000];
        var (total, pause) = (0, 0);
        while (total < size)
        {
            if (total >= pause)
            {
                pause += size / 2;
                await Patience.UntilAsync(isHeld, "the proxy to wait for a reader", () => $"{total} of {size} bytes were read");
            }
            var count = await stream.ReadAsync(buffer, TlsRig.Deadline());
            Assert.True(count > 0, $"the end after {total} bytes");
            hash.AppendData(buffer, 0, count);
            total += count;
        }
        Assert.Equal(0, await stream.ReadAsync(buffer, TlsRig.Deadline()));
        return hash.GetHashAndReset();
    }

    private static async Task EndAsync(Stream stream)
    {
        if (stream is SecureStream tls)
        {
            await tls.EndAsync();
        }
        TlsRig.SocketOf(stream).Shutdown(SocketShutdown.Send);
    }
}

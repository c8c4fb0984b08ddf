using System;
using System.Linq;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>Bytes that are not parsed: tcp_proxy.</summary>
public sealed class RelayTests : IDisposable
{
    private const int Bulk = 64 << 20;
    private readonly ProxyRig _rig = new();
    private readonly CancellationTokenSource _limit = new(Patience.Limit);

    public RelayTests()
    {
        _rig.Listener = _rig.Listener with { Opaque = true };
        _rig.PutPolicy(ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1001))));
    }

    public void Dispose()
    {
        _rig.Dispose();
        _limit.Dispose();
    }

    [NetnsTheory]
    [InlineData("10.71.2.2:80", ProxyRig.Client)]
    [InlineData("[fd71:2::2]:80", ProxyRig.ClientV6)]
    public async Task ClientHalfCloses_ServerAnswersAfterwards(string to, string client)
    {
        Serve(async socket =>
        {
            var got = await ReadToEndAsync(socket);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"{((System.Net.IPEndPoint)socket.RemoteEndPoint!).Address.MapToIPv6()} {got.Length}"));
            socket.Shutdown(SocketShutdown.Send);
        });
        _rig.Start();
        using var connection = _rig.Connect(to);

        connection.Send("hello");
        connection.Socket.Shutdown(SocketShutdown.Send);

        Assert.Equal($"{System.Net.IPAddress.Parse(client).MapToIPv6()} 5", Encoding.ASCII.GetString(await ReadToEndAsync(connection.Socket)));
    }

    [NetnsFact]
    public async Task ServerHalfCloses_ClientMaySendOn()
    {
        var received = new TaskCompletionSource<string>();
        Serve(async socket =>
        {
            await ReadAsync(socket, 2);
            socket.Shutdown(SocketShutdown.Send);
            received.SetResult(Encoding.ASCII.GetString(await ReadToEndAsync(socket)));
        });
        _rig.Start();
        using var connection = _rig.Connect();

        connection.Send("go");
        Assert.Equal("closed", connection.ReadEnd());
        connection.Send("and on");
        connection.Socket.Shutdown(SocketShutdown.Send);

        Assert.Equal("and on", await received.Task.WaitAsync(Patience.Limit));
    }

    [NetnsFact]
    public async Task BulkBothWaysAtOnce_IsIntact()
    {
        var up = Noise(1);
        var down = Noise(2);
        var received = new TaskCompletionSource<byte[]>();
        Serve(async socket =>
        {
            var sending = SendAllAsync(socket, down);
            received.SetResult(SHA256.HashData(await ReadToEndAsync(socket)));
            await sending;
        });
        _rig.Start();
        using var connection = _rig.Connect();

        var sent = SendAllAsync(connection.Socket, up);
        var got = await ReadToEndAsync(connection.Socket);
        await sent;

        Assert.Equal(SHA256.HashData(down), SHA256.HashData(got));
        Assert.Equal(SHA256.HashData(up), await received.Task.WaitAsync(Patience.Limit));
    }

    [NetnsFact]
    public async Task ServerSpeaksFirst_NeedsTheContinueSetting()
    {
        _rig.Listener = _rig.Listener with { Extra = "\"listener_filters_timeout\":\"0.2s\",\"continue_on_listener_filters_timeout\":true," };
        Serve(async socket =>
        {
            await socket.SendAsync("220 ready\r\n"u8.ToArray());
            await ReadToEndAsync(socket);
        });
        _rig.Start();
        using var connection = _rig.Connect();

        Assert.Equal("220 ready\r\n", Encoding.ASCII.GetString(await ReadAsync(connection.Socket, 11)));
    }

    [NetnsFact]
    public async Task ProxyIsAskedToStop_RelayOfASilentClientLivesOn()
    {
        _rig.Listener = _rig.Listener with { Extra = "\"listener_filters_timeout\":\"0.2s\",\"continue_on_listener_filters_timeout\":true," };
        Serve(async socket =>
        {
            await socket.SendAsync("220 ready\r\n"u8.ToArray());
            var got = await ReadAsync(socket, 4);
            await socket.SendAsync(got);
        });
        var proxy = _rig.Start();
        using var connection = _rig.Connect();
        await ReadAsync(connection.Socket, 11);

        proxy.Signal("TERM");
        Patience.Until(() => _rig.Net.Node.Run("ss", "-Hltn", "sport = :15001").OrThrow().Length == 0, () => "the listener stays open");
        connection.Send("quit");

        Assert.Equal("quit", Encoding.ASCII.GetString(await ReadToEndAsync(connection.Socket)));
        connection.Dispose();
        Assert.Equal(0, proxy.WaitForExit());
    }

    [NetnsFact]
    public void SilentClientWithoutTheContinueSetting_IsResetWithTheReason()
    {
        _rig.Listener = _rig.Listener with { Extra = "\"listener_filters_timeout\":\"0.2s\"," };
        var server = Serve(_ => Task.CompletedTask);
        _rig.Start();
        using var connection = _rig.Connect();

        Assert.Equal("reset", connection.ReadEnd());
        _rig.WaitForRecord(r => r.Text("reason") == "listener_filters_timeout" && r.Text("source_security_id") == "1001");
        Assert.Equal(0, server.Accepts);
    }

    [NetnsFact]
    public async Task ServerResets_ClientIsReset()
    {
        Serve(async socket =>
        {
            await ReadAsync(socket, 4);
            socket.LingerState = new LingerOption(true, 0);
        });
        _rig.Start();
        using var connection = _rig.Connect();
        connection.Send("boom");

        Assert.Equal("reset", connection.ReadEnd());
        await Task.CompletedTask;
    }

    [NetnsFact]
    public async Task ClientResets_ServerIsReset()
    {
        var end = new TaskCompletionSource<string>();
        Serve(async socket =>
        {
            try
            {
                await socket.SendAsync("hi"u8.ToArray());
                end.SetResult($"closed after {(await ReadToEndAsync(socket)).Length}");
            }
            catch (SocketException e)
            {
                end.SetResult(e.SocketErrorCode.ToString());
            }
        });
        _rig.Start();
        var connection = _rig.Connect();
        connection.Send("x");
        await ReadAsync(connection.Socket, 2);

        connection.Socket.LingerState = new LingerOption(true, 0);
        connection.Dispose();

        Assert.Equal("ConnectionReset", await end.Task.WaitAsync(Patience.Limit));
    }

    [NetnsFact]
    public void ServerRefuses_ClientIsResetAndTheRecordSaysWhy()
    {
        _rig.Start();
        using var connection = _rig.Connect();
        connection.Send("hello");

        Assert.Equal("reset", connection.ReadEnd());
        _rig.WaitForRecord(r => r.Text("reason") == "upstream_connect_refused" && r.Text("verdict") == "error");
    }

    [NetnsFact]
    public void RuleThatLooksInsideHttp_IsNotRelayed()
    {
        _rig.PutPolicy(ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.HttpRule(1001, "/public.*"))));
        var server = Serve(_ => Task.CompletedTask);
        _rig.Start();

        Assert.Equal("reset", _rig.Try("/public"));
        Assert.Equal(0, server.Accepts);
    }

    private TcpOrigin Serve(Func<Socket, Task> serve) => _rig.Own(new TcpOrigin(_rig.Net.Server, 80, serve));

    private static byte[] Noise(int seed)
    {
        var bytes = new byte[Bulk];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes[..Math.Min(bytes.Length, 1 << 20)], SocketFlags.None, _limit.Token)..];
        }
        socket.Shutdown(SocketShutdown.Send);
    }

    private async Task<byte[]> ReadAsync(Socket socket, int count)
    {
        var buffer = new byte[count];
        for (var total = 0; total < count;)
        {
            var n = await socket.ReceiveAsync(buffer.AsMemory(total), SocketFlags.None, _limit.Token);
            Assert.NotEqual(0, n);
            total += n;
        }
        return buffer;
    }

    private async Task<byte[]> ReadToEndAsync(Socket socket)
    {
        var all = new System.IO.MemoryStream();
        var buffer = new byte[256 * 1024];
        int n;
        while ((n = await socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None, _limit.Token)) > 0)
        {
            all.Write(buffer, 0, n);
        }
        return all.ToArray();
    }
}

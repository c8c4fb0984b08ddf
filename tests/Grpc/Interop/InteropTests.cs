using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Postern.Grpc;
using Postern.Grpc.Client;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Interop;

/// <summary>Both sides against the foreign implementation.</summary>
public sealed class InteropTests
{
    [PythonFact]
    public Task ForeignClientOverTcp_IsServed() => ServeAsync(unix: false);

    [PythonFact]
    public Task ForeignClientOverAUnixSocket_IsServed() => ServeAsync(unix: true);

    [PythonFact]
    public async Task ForeignClientOverMutualTls_IsServed()
    {
        using var certificates = new Certificates();
        await ServeAsync(unix: false, certificates);
    }

    [PythonFact]
    public async Task ForeignServerOverTcp_IsUnderstood()
    {
        await using var peer = PythonPeer.Start("server", "127.0.0.1:0");
        await CallAsync(new GrpcChannelOptions { EndPoint = await EndPointOf(peer) });
    }

    [PythonFact]
    public async Task ForeignServerWithGzipRequests_IsUnderstood()
    {
        await using var peer = PythonPeer.Start("server", "127.0.0.1:0");
        await CallAsync(new GrpcChannelOptions { EndPoint = await EndPointOf(peer), CompressRequests = true });
    }

    [PythonFact]
    public async Task ForeignServerOverAUnixSocket_IsUnderstood()
    {
        var folder = Directory.CreateTempSubdirectory("postern-grpc-");
        var path = Path.Combine(folder.FullName, "s");
        await using (var peer = PythonPeer.Start("server", "unix:" + path))
        {
            await EndPointOf(peer);
            await CallAsync(new GrpcChannelOptions { EndPoint = new UnixDomainSocketEndPoint(path) });
        }
        folder.Delete(recursive: true);
    }

    [PythonFact]
    public async Task ForeignServerOverMutualTls_IsUnderstood()
    {
        using var certificates = new Certificates();
        await using var peer = PythonPeer.Start("server", "127.0.0.1:0", certificates.Folder);
        await CallAsync(new GrpcChannelOptions { EndPoint = await EndPointOf(peer), Tls = certificates.Client() });
    }

    private static async Task ServeAsync(bool unix, Certificates? certificates = null)
    {
        await using var pair = await Pair.StartAsync(unix, server: options => options with { Compress = true, Tls = certificates?.Server, MaxReceiveMessageBytes = 1_000_000 });
        await using var peer = PythonPeer.Start("client", pair.Server.BoundEndPoints[0] is IPEndPoint ip ? ip.ToString() : $"unix:{pair.Server.BoundEndPoints[0]}", certificates?.Folder);
        await peer.MustSucceedAsync();
    }

    private static async Task<IPEndPoint> EndPointOf(PythonPeer peer)
    {
        var line = await peer.Output.ReadLineAsync().Within();
        return new IPEndPoint(IPAddress.Loopback, int.Parse(line!.Split(' ')[1]));
    }

    private static async Task CallAsync(GrpcChannelOptions options)
    {
        await using var channel = GrpcChannel.ForAddress(options with { MaxReceiveMessageBytes = 100_000 });
        var invoker = channel.Invoker;
        Assert.Equal("hällo", (await invoker.UnaryAsync(EchoService.Unary, Text.Of("hällo")).Within()).Value);

        await using (var collect = invoker.Open(EchoService.Collect))
        {
            await collect.WriteAsync(Text.Of("a")).Within();
            await collect.WriteAsync(Text.Of("b")).Within();
            await collect.CompleteAsync().Within();
            Assert.Equal("ab", (await collect.ReadAsync().Within())!.Value);
        }
        await using (var repeat = invoker.Open(EchoService.Repeat))
        {
            await repeat.WriteAsync(Text.Of("n")).Within();
            await repeat.CompleteAsync().Within();
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal($"n{i}", (await repeat.ReadAsync().Within())!.Value);
            }
            Assert.Null(await repeat.ReadAsync().Within());
        }
        await using (var chat = invoker.Open(EchoService.Chat))
        {
            await chat.ResponseHeadersAsync.Within();
            for (var i = 0; i < 3; i++)
            {
                await chat.WriteAsync(Text.Of($"m{i}")).Within();
                Assert.Equal($"m{i}", (await chat.ReadAsync().Within())!.Value);
            }
            await chat.CompleteAsync().Within();
            Assert.Null(await chat.ReadAsync().Within());
        }

        var failed = await Fails(invoker.UnaryAsync(EchoService.Fail, Text.Of("9:100 % größe\n象")));
        Assert.Equal(new Status(StatusCode.FailedPrecondition, "100 % größe\n象"), failed.Status);
        Assert.Equal([1, 2, 3], failed.Trailers.GetValueBytes("grpc-status-details-bin")!);
        Assert.Equal(StatusCode.DeadlineExceeded, (await Fails(invoker.UnaryAsync(EchoService.Hang, Text.Of(""), new CallOptions(Deadline: TimeSpan.FromMilliseconds(200))))).StatusCode);
        using var cancel = new CancellationTokenSource();
        var hanging = invoker.UnaryAsync(EchoService.Hang, Text.Of(""), new CallOptions(CancellationToken: cancel.Token));
        await cancel.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Fails(hanging)).StatusCode);
        Assert.Equal(StatusCode.ResourceExhausted, (await Fails(invoker.UnaryAsync(EchoService.Bytes, Text.Of("200000")))).StatusCode);
        // Text that gzip cannot make small enough for the peer's limit is refused there, with or without compression.
        Assert.Equal(StatusCode.ResourceExhausted, (await Fails(invoker.UnaryAsync(EchoService.Unary, Text.Of(new string('x', 1_100_000))))).StatusCode);

        var headers = new Metadata();
        headers.Add("x-text", "some text");
        headers.Add("x-bytes-bin", [0, 0xFF, 0x80]);
        await using var reflect = invoker.Open(EchoService.Reflect, new CallOptions(headers));
        await reflect.WriteAsync(Text.Of("")).Within();
        await reflect.CompleteAsync().Within();
        Assert.NotNull(await reflect.ReadAsync().Within());
        Assert.Null(await reflect.ReadAsync().Within());
        foreach (var received in new[] { await reflect.ResponseHeadersAsync.Within(), reflect.GetTrailers() })
        {
            Assert.Equal("some text", received.GetValue("x-text"));
            Assert.Equal([0, 0xFF, 0x80], received.GetValueBytes("x-bytes-bin")!);
        }
    }

    private static Task<RpcException> Fails(Task<StringValue> call) => Assert.ThrowsAsync<RpcException>(() => call).Within();

    private static Task<RpcException> Fails(Task<BytesValue> call) => Assert.ThrowsAsync<RpcException>(() => call).Within();
}

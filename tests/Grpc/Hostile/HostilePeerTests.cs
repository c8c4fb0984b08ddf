using System;
using System.Net;
using System.Threading.Tasks;
using Postern.Grpc;
using Postern.Grpc.Client;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Hostile;

/// <summary>Peers that are dead, silent, or talk nonsense: a call ends with a status, it never hangs.</summary>
public sealed class HostilePeerTests
{
    public static TheoryData<string, byte[], bool, StatusCode> Answers => new()
    {
        { "closes at once", [], true, StatusCode.Unavailable },
        { "no HTTP/2", "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), true, StatusCode.Internal },
        { "half a message, then closed", [.. RawPeer.GrpcHeaders, .. RawPeer.Frame(0, 0, [0, 0, 0, 0, 50, 1, 2])], true, StatusCode.Unavailable },
        { "half a message, then the stream's end", [.. RawPeer.GrpcHeaders, .. RawPeer.Frame(0, 1, [0, 0, 0, 0, 50, 1, 2])], false, StatusCode.Internal },
        { "no trailers", [.. RawPeer.GrpcHeaders, .. RawPeer.Frame(0, 1, [])], false, StatusCode.Unknown },
        { "a length of 4 GiB", [.. RawPeer.GrpcHeaders, .. RawPeer.Frame(0, 0, [0, 255, 255, 255, 255])], false, StatusCode.ResourceExhausted },
        { "RST_STREAM CANCEL", RawPeer.Frame(3, 0, [0, 0, 0, 8]), false, StatusCode.Cancelled },
        { "RST_STREAM ENHANCE_YOUR_CALM", [.. RawPeer.GrpcHeaders, .. RawPeer.Frame(3, 0, [0, 0, 0, 11])], false, StatusCode.ResourceExhausted },
        { "RST_STREAM INTERNAL_ERROR", [.. RawPeer.GrpcHeaders, .. RawPeer.Frame(3, 0, [0, 0, 0, 2])], false, StatusCode.Internal },
        { "no grpc content type", RawPeer.Frame(1, 5, [0x88]), false, StatusCode.Unknown },
        { "HTTP 404", RawPeer.Frame(1, 5, [0x8D]), false, StatusCode.Unimplemented },
        { "HTTP 503", RawPeer.Frame(1, 5, [0x08, 3, .. "503"u8]), false, StatusCode.Unavailable },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task StrangeAnswer_EndsTheCallWithItsStatus(string what, byte[] answer, bool close, StatusCode status)
    {
        Assert.NotEmpty(what);
        await using var peer = new RawPeer();
        await using var channel = GrpcChannel.ForAddress(new GrpcChannelOptions { EndPoint = peer.EndPoint });
        await using var call = channel.Invoker.Open(EchoService.Chat);
        var playing = peer.PlayAsync(answer, close);
        var ended = Assert.ThrowsAsync<RpcException>(() => call.ReadAsync().AsTask());
        // The peer first: when it fails, that is the news.
        await playing.Within();
        var e = await ended.Within($"the end of the call; headers: {call.ResponseHeadersAsync.Status}");
        Assert.True(status == e.StatusCode, e.ToString());
        Assert.NotEmpty(e.Status.Detail);
    }

    [Fact]
    public async Task NobodyThere_IsUnavailableWithTheCause()
    {
        await using var channel = GrpcChannel.ForAddress(new GrpcChannelOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 1) });
        var e = await Assert.ThrowsAsync<RpcException>(() => channel.Invoker.UnaryAsync(EchoService.Unary, Text.Of(""))).Within();
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        Assert.Contains("refused", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SilentPeer_IsFoundByKeepAlive()
    {
        await using var peer = new RawPeer();
        await using var channel = GrpcChannel.ForAddress(new GrpcChannelOptions
        {
            EndPoint = peer.EndPoint,
            KeepAliveInterval = TimeSpan.FromSeconds(1),
            KeepAliveTimeout = TimeSpan.FromSeconds(1),
        });
        await using var call = channel.Invoker.Open(EchoService.Chat);
        await peer.PlayAsync([], close: false);
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ReadAsync().AsTask()).Within();
        Assert.True(e.StatusCode == StatusCode.Unavailable, e.ToString());
    }
}

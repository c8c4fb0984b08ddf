using System;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Postern.Grpc;
using Postern.Grpc.Client;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Calls;

public sealed class StatusAndMetadataTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("")]
    [InlineData("100 % of «größe» 象 😀\r\n\tend")]
    [InlineData(" spaces at both ends ")]
    [InlineData("%41 is no escape")]
    public async Task StatusOfAHandler_ArrivesWithItsTextAndDetails(string detail)
    {
        await using var pair = await Pair.StartAsync();
        var e = await Assert.ThrowsAsync<RpcException>(() => pair.Invoker.UnaryAsync(EchoService.Fail, Text.Of($"9:{detail}"))).Within();
        Assert.Equal(new Status(StatusCode.FailedPrecondition, detail), e.Status);
        Assert.Equal([1, 2, 3], e.Trailers.GetValueBytes("grpc-status-details-bin")!);
    }

    [Fact]
    public async Task CrashOfAHandler_IsUnknownAndKeepsItsText()
    {
        await using var pair = await Pair.StartAsync();
        var e = await Assert.ThrowsAsync<RpcException>(() => pair.Invoker.UnaryAsync(EchoService.Crash, Text.Of(""))).Within();
        Assert.Equal(StatusCode.Unknown, e.StatusCode);
        Assert.DoesNotContain("secret", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnknownMethod_IsUnimplemented()
    {
        await using var pair = await Pair.StartAsync();
        var method = new Method<StringValue, StringValue>(MethodType.Unary, EchoService.Name, "Nothing", StringValue.Parser, StringValue.Parser);
        var e = await Assert.ThrowsAsync<RpcException>(() => pair.Invoker.UnaryAsync(method, Text.Of(""))).Within();
        Assert.Equal(new Status(StatusCode.Unimplemented, "unknown method Nothing of postern.test.Echo"), e.Status);
    }

    [Fact]
    public async Task Metadata_ArrivesBothWaysWithItsBytes()
    {
        await using var pair = await Pair.StartAsync();
        var sent = new Metadata();
        sent.Add("X-Text", "some text");
        for (var i = 1; i <= 3; i++)
        {
            sent.Add("x-bytes-bin", [.. new byte[] { 0, 0xFF, 0x80 }.AsSpan(0, i)]);
        }
        await using var call = pair.Invoker.Open(EchoService.Reflect, new CallOptions(sent));
        await call.WriteAsync(Text.Of("")).Within();
        await call.CompleteAsync().Within();
        Assert.StartsWith("ipv4:127.0.0.1:", (await call.ReadAsync().Within())!.Value, StringComparison.Ordinal);
        Assert.Null(await call.ReadAsync().Within());
        foreach (var received in new[] { await call.ResponseHeadersAsync.Within(), call.GetTrailers() })
        {
            Assert.Equal(Lines(sent), Lines(received));
        }
    }

    [Fact]
    public async Task PeerOfAUnixSocket_IsUnix()
    {
        await using var pair = await Pair.StartAsync(unix: true);
        Assert.Equal("unix:", (await pair.Invoker.UnaryAsync(EchoService.Reflect, Text.Of("")).Within()).Value);
    }

    [Theory]
    [InlineData("grpc-timeout")]
    [InlineData("grpc-status")]
    [InlineData("te")]
    [InlineData("content-type")]
    public async Task ReservedName_IsRefused(string name)
    {
        await using var channel = GrpcChannel.ForAddress(new GrpcChannelOptions { EndPoint = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 1) });
        var headers = new Metadata();
        headers.Add(name, "1");
        Assert.Throws<ArgumentException>(() => { channel.Invoker.Open(EchoService.Chat, new CallOptions(headers)); });
    }

    [Theory]
    [InlineData("")]
    [InlineData(":path")]
    [InlineData("with space")]
    [InlineData("ümlaut")]
    [InlineData("bytes-bin")]
    public void TextUnderABadName_IsRefused(string name) => Assert.Throws<ArgumentException>(() => new Metadata().Add(name, "text"));

    [Fact]
    public void TextThatWouldBreakTheHeader_IsRefused() => Assert.Throws<ArgumentException>(() => new Metadata().Add("name", "a\r\nb: c"));

    private static string[] Lines(Metadata metadata)
    {
        var lines = new System.Collections.Generic.List<string>();
        foreach (var entry in metadata)
        {
            if (entry.Key.StartsWith("x-", StringComparison.Ordinal))
            {
                lines.Add($"{entry.Key}={entry.Value ?? Convert.ToHexString(entry.ValueBytes!)}");
            }
        }
        return [.. lines];
    }
}

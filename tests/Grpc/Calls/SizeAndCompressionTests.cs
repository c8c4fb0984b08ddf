using System;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Postern.Grpc;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Calls;

public sealed class SizeAndCompressionTests
{
    [Fact]
    public async Task ResponseAboveTheClientsLimit_IsResourceExhausted()
    {
        await using var pair = await Pair.StartAsync(channel: options => options with { MaxReceiveMessageBytes = 1000 });
        Assert.Equal(900, (await pair.Invoker.UnaryAsync(EchoService.Bytes, Text.Of("900")).Within()).Value.Length);
        Assert.Equal(StatusCode.ResourceExhausted, await StatusOf(pair, "1000"));
    }

    [Fact]
    public async Task RequestAboveTheServersLimit_IsResourceExhausted()
    {
        await using var pair = await Pair.StartAsync(server: options => options with { MaxReceiveMessageBytes = 1000 });
        var e = await Assert.ThrowsAsync<RpcException>(() => pair.Invoker.UnaryAsync(EchoService.Unary, Text.Of(new string('x', 3_000_000)))).Within();
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        Assert.Contains("MaxReceiveMessageBytes", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequestAboveTheClientsSendLimit_DoesNotGoOut()
    {
        await using var pair = await Pair.StartAsync(channel: options => options with { MaxSendMessageBytes = 1000 });
        var e = await Assert.ThrowsAsync<RpcException>(() => pair.Invoker.UnaryAsync(EchoService.Unary, Text.Of(new string('x', 1000)))).Within();
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        Assert.Contains("MaxSendMessageBytes", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ResponseAboveTheServersSendLimit_IsResourceExhausted()
    {
        await using var pair = await Pair.StartAsync(server: options => options with { MaxSendMessageBytes = 1000 });
        Assert.Equal(StatusCode.ResourceExhausted, await StatusOf(pair, "1000"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LargeMessages_GoThroughFlowControlBothWays(bool compressed)
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with { MaxReceiveMessageBytes = 64 << 20, Compress = compressed },
            channel: options => options with { MaxReceiveMessageBytes = 64 << 20, CompressRequests = compressed });
        var text = string.Create(20 << 20, 0, static (span, _) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = (char)('a' + (i * 31L % 26));
            }
        });
        Assert.True(text == (await pair.Invoker.UnaryAsync(EchoService.Unary, Text.Of(text)).Within()).Value, "the text came back changed");
    }

    [Fact]
    public async Task CompressedMessageThatGrowsBeyondTheLimit_IsRefused()
    {
        // 3 MB of zeros are 3 kB of gzip: the limit counts what comes out.
        await using var pair = await Pair.StartAsync(server: options => options with { Compress = true }, channel: options => options with { MaxReceiveMessageBytes = 1_000_000 });
        Assert.Equal(StatusCode.ResourceExhausted, await StatusOf(pair, "3000000"));
    }

    [Fact]
    public async Task EmptyMessage_IsAMessage()
    {
        await using var pair = await Pair.StartAsync(server: options => options with { Compress = true }, channel: options => options with { CompressRequests = true });
        Assert.Equal("", (await pair.Invoker.UnaryAsync(EchoService.Unary, new StringValue()).Within()).Value);
    }

    private static async Task<StatusCode> StatusOf(Pair pair, string size) =>
        (await Assert.ThrowsAsync<RpcException>(() => pair.Invoker.UnaryAsync(EchoService.Bytes, Text.Of(size))).Within()).StatusCode;
}

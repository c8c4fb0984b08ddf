using System.Collections.Generic;
using System.Threading.Tasks;
using Postern.Grpc;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Calls;

public sealed class CallKindTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UnaryCall_GivesTheResponse(bool unix)
    {
        await using var pair = await Pair.StartAsync(unix);
        Assert.Equal("hello", (await pair.Invoker.UnaryAsync(EchoService.Unary, Text.Of("hello")).Within()).Value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ClientStream_IsCollectedIntoOneResponse(bool unix)
    {
        await using var pair = await Pair.StartAsync(unix);
        await using var call = pair.Invoker.Open(EchoService.Collect);
        foreach (var part in new[] { "a", "b", "c" })
        {
            await call.WriteAsync(Text.Of(part)).Within();
        }
        await call.CompleteAsync().Within();
        Assert.Equal("abc", (await call.ReadAsync().Within())!.Value);
        Assert.Null(await call.ReadAsync().Within());
        Assert.Equal(Status.Ok, call.GetStatus());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ServerStream_GivesAllThenNull(bool unix)
    {
        await using var pair = await Pair.StartAsync(unix);
        await using var call = pair.Invoker.Open(EchoService.Repeat);
        await call.WriteAsync(Text.Of("n")).Within();
        await call.CompleteAsync().Within();
        var got = new List<string>();
        while (await call.ReadAsync().Within() is { } response)
        {
            got.Add(response.Value);
        }
        Assert.Equal(["n0", "n1", "n2"], got);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DuplexStream_AnswersEachMessageBeforeTheNext(bool unix)
    {
        await using var pair = await Pair.StartAsync(unix);
        await using var call = pair.Invoker.Open(EchoService.Chat);
        // Before the first message: the request's headers must be out already.
        await call.ResponseHeadersAsync.Within();
        for (var i = 0; i < 5; i++)
        {
            await call.WriteAsync(Text.Of($"m{i}")).Within();
            Assert.Equal($"m{i}", (await call.ReadAsync().Within())!.Value);
        }
        await call.CompleteAsync().Within();
        Assert.Null(await call.ReadAsync().Within());
    }

}

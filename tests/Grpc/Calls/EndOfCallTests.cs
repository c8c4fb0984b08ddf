using System;
using System.Threading;
using System.Threading.Tasks;
using Postern.Grpc;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Calls;

/// <summary>Deadlines, cancellation from both sides, and a server that stops.</summary>
public sealed class EndOfCallTests
{
    [Fact]
    public async Task DeadlineOfTheClient_EndsTheCallAndReachesTheHandler()
    {
        var time = new ManualTime();
        await using var pair = await Pair.StartAsync(channel: options => options with { TimeProvider = time });
        var call = pair.Invoker.UnaryAsync(EchoService.Hang, Text.Of(""), new CallOptions(Deadline: TimeSpan.FromMinutes(1)));
        await pair.Echo.Hanging.Task.Within();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => call).Within()).StatusCode);
        await pair.Echo.Cancelled.Task.Within();
    }

    [Fact]
    public async Task DeadlineOnTheServer_EndsTheCallFromThere()
    {
        var time = new ManualTime();
        await using var pair = await Pair.StartAsync(server: options => options with { TimeProvider = time });
        var call = pair.Invoker.UnaryAsync(EchoService.Hang, Text.Of(""), new CallOptions(Deadline: TimeSpan.FromMinutes(1)));
        await pair.Echo.Hanging.Task.Within();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => call).Within()).StatusCode);
        await pair.Echo.Cancelled.Task.Within();
    }

    [Fact]
    public async Task DeadlineThatHasPassed_SendsNothing()
    {
        await using var pair = await Pair.StartAsync();
        var call = pair.Invoker.UnaryAsync(EchoService.Hang, Text.Of(""), new CallOptions(Deadline: TimeSpan.Zero));
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => call).Within()).StatusCode);
        Assert.False(pair.Echo.Hanging.Task.IsCompleted);
    }

    [Fact]
    public async Task Cancellation_EndsTheCallAndReachesTheHandler()
    {
        await using var pair = await Pair.StartAsync();
        using var cancel = new CancellationTokenSource();
        var call = pair.Invoker.UnaryAsync(EchoService.Hang, Text.Of(""), new CallOptions(CancellationToken: cancel.Token));
        await pair.Echo.Hanging.Task.Within();
        await cancel.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call).Within()).StatusCode);
        await pair.Echo.Cancelled.Task.Within();
    }

    [Fact]
    public async Task DisposedStream_ReachesTheHandler()
    {
        await using var pair = await Pair.StartAsync();
        var call = pair.Invoker.Open(EchoService.Hang);
        await call.WriteAsync(Text.Of("")).Within();
        await call.CompleteAsync().Within();
        await pair.Echo.Hanging.Task.Within();
        await call.DisposeAsync();
        await pair.Echo.Cancelled.Task.Within();
    }

    [Fact]
    public async Task DisposedStream_WakesItsReader()
    {
        await using var pair = await Pair.StartAsync();
        var call = pair.Invoker.Open(EchoService.Chat);
        await call.ResponseHeadersAsync.Within();
        var reading = call.ReadAsync().AsTask();
        await call.DisposeAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => reading).Within()).StatusCode);
    }

    [Fact]
    public async Task CancelledRead_LeavesTheCallOpen()
    {
        await using var pair = await Pair.StartAsync();
        await using var call = pair.Invoker.Open(EchoService.Chat);
        await call.ResponseHeadersAsync.Within();
        using var cancel = new CancellationTokenSource();
        var reading = call.ReadAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading).Within();
        await call.WriteAsync(Text.Of("still here")).Within();
        Assert.Equal("still here", (await call.ReadAsync().Within())!.Value);
    }

    [Fact]
    public async Task StoppedServer_EndsItsCallsAsUnavailable()
    {
        await using var pair = await Pair.StartAsync();
        var call = pair.Invoker.UnaryAsync(EchoService.Hang, Text.Of(""));
        await pair.Echo.Hanging.Task.Within();
        await pair.Server.StopAsync().Within();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call).Within()).StatusCode);
    }

    [Fact]
    public async Task WriteAfterTheServersEnd_FailsWithTheStatusOfTheCall()
    {
        await using var pair = await Pair.StartAsync();
        await using var call = pair.Invoker.Open(new Method<Google.Protobuf.WellKnownTypes.StringValue, Google.Protobuf.WellKnownTypes.StringValue>(
            MethodType.DuplexStreaming, "no.Such", "Thing", Google.Protobuf.WellKnownTypes.StringValue.Parser, Google.Protobuf.WellKnownTypes.StringValue.Parser));
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ReadAsync().AsTask()).Within();
        Assert.Equal(new Status(StatusCode.Unimplemented, "unknown service no.Such"), e.Status);
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(() => call.WriteAsync(Text.Of("x")).AsTask()).Within()).StatusCode);
    }
}

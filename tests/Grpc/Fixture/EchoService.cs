using System;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Postern.Grpc;
using Postern.Grpc.Server;

namespace Postern.Tests.Grpc.Fixture;

/// <summary>A service of the four kinds on wrapper messages, the same that the foreign peers have (<c>Interop/</c>).</summary>
internal sealed class EchoService
{
    public const string Name = "postern.test.Echo";

    public static readonly Method<StringValue, StringValue> Unary = Of(MethodType.Unary, "Unary");
    public static readonly Method<StringValue, StringValue> Collect = Of(MethodType.ClientStreaming, "Collect");
    public static readonly Method<StringValue, StringValue> Repeat = Of(MethodType.ServerStreaming, "Repeat");
    public static readonly Method<StringValue, StringValue> Chat = Of(MethodType.DuplexStreaming, "Chat");

    /// <summary>Ends the call with the status the request names: <c>code:detail</c>.</summary>
    public static readonly Method<StringValue, StringValue> Fail = Of(MethodType.Unary, "Fail");

    /// <summary>Waits until the call is cancelled.</summary>
    public static readonly Method<StringValue, StringValue> Hang = Of(MethodType.Unary, "Hang");

    /// <summary>Sends the request's metadata <c>x-*</c> back in headers and trailers.</summary>
    public static readonly Method<StringValue, StringValue> Reflect = Of(MethodType.Unary, "Reflect");

    /// <summary>Throws something that is no <see cref="RpcException"/>.</summary>
    public static readonly Method<StringValue, StringValue> Crash = Of(MethodType.Unary, "Crash");

    /// <summary>Answers with so many bytes.</summary>
    public static readonly Method<StringValue, BytesValue> Bytes = new(MethodType.Unary, Name, "Bytes", StringValue.Parser, BytesValue.Parser);

    public EchoService() => Definition = new ServiceDefinition(Name)
        .Unary(Unary, (request, _) => Task.FromResult(request))
        .Add(Collect, async (requests, responses, context) =>
        {
            var all = "";
            while (await requests.ReadAsync(context.CancellationToken) is { } request)
            {
                all += request.Value;
            }
            await responses.WriteAsync(new StringValue { Value = all }, context.CancellationToken);
        })
        .Add(Repeat, async (requests, responses, context) =>
        {
            var request = (await requests.ReadAsync(context.CancellationToken))!;
            for (var i = 0; i < 3; i++)
            {
                await responses.WriteAsync(new StringValue { Value = request.Value + i }, context.CancellationToken);
            }
        })
        .Add(Chat, async (requests, responses, context) =>
        {
            await context.WriteResponseHeadersAsync([]);
            while (await requests.ReadAsync(context.CancellationToken) is { } request)
            {
                await responses.WriteAsync(request, context.CancellationToken);
            }
        })
        .Unary(Fail, (request, _) =>
        {
            var parts = request.Value.Split(':', 2);
            var trailers = new Metadata();
            trailers.Add("grpc-status-details-bin", [1, 2, 3]);
            throw new RpcException(new Status((StatusCode)int.Parse(parts[0]), parts[1]), trailers);
        })
        .Unary(Hang, async (request, context) =>
        {
            Hanging.TrySetResult();
            try
            {
                await new TaskCompletionSource().Task.WaitAsync(context.CancellationToken);
            }
            finally
            {
                Cancelled.TrySetResult();
            }
            return request;
        })
        .Unary(Reflect, async (request, context) =>
        {
            var headers = new Metadata();
            foreach (var entry in context.RequestHeaders)
            {
                if (!entry.Key.StartsWith("x-", StringComparison.Ordinal))
                {
                    continue;
                }
                if (entry.ValueBytes is { } bytes)
                {
                    headers.Add(entry.Key, bytes);
                    context.ResponseTrailers.Add(entry.Key, bytes);
                }
                else
                {
                    headers.Add(entry.Key, entry.Value!);
                    context.ResponseTrailers.Add(entry.Key, entry.Value!);
                }
            }
            await context.WriteResponseHeadersAsync(headers);
            return new StringValue { Value = context.Peer };
        })
        .Unary(Crash, (_, _) => throw new InvalidOperationException("a secret"))
        .Unary(Bytes, (request, _) => Task.FromResult(new BytesValue { Value = Google.Protobuf.ByteString.CopyFrom(new byte[int.Parse(request.Value)]) }));

    public ServiceDefinition Definition { get; }

    /// <summary>A call to <see cref="Hang"/> is in its handler.</summary>
    public TaskCompletionSource Hanging { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The token of a call to <see cref="Hang"/> fired.</summary>
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static Method<StringValue, StringValue> Of(MethodType type, string name) => new(type, Name, name, StringValue.Parser, StringValue.Parser);
}

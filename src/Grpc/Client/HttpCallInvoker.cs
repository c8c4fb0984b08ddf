using System;
using System.Net;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Postern.Grpc.Headers;

namespace Postern.Grpc.Client;

/// <summary>Makes calls over HTTP/2 requests.</summary>
internal sealed class HttpCallInvoker(HttpMessageInvoker http, GrpcChannelOptions channel, CancellationToken channelClosed) : CallInvoker
{
    private readonly string origin = channel.Tls is null ? "http://localhost" : "https://localhost";
    private readonly string authority = channel.EffectiveAuthority;

    public override async Task<TResponse> UnaryAsync<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options = default)
    {
        var call = Start(method, options);
        await using var _ = call.ConfigureAwait(false);
        // Reading goes on beside writing: a peer may answer, and stop reading, in the middle of a large request.
        var reading = ReadSingleAsync(call);
        try
        {
            await call.WriteAsync(request).ConfigureAwait(false);
            await call.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A request that could not be made on this side never went out; any other failure is the end of the call, which the reader tells better.
            if (e is not RpcException { StatusCode: not StatusCode.ResourceExhausted })
            {
                call.End(e is RpcException own ? own.Status : new Status(StatusCode.Internal, $"the request cannot be written: {e.Message}"));
            }
        }
        return await reading.ConfigureAwait(false);
    }

    public override StreamingCall<TRequest, TResponse> Open<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options = default) =>
        Start(method, options);

    private static async Task<TResponse> ReadSingleAsync<TRequest, TResponse>(HttpStreamingCall<TRequest, TResponse> call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var response = await call.ReadAsync().ConfigureAwait(false)
            ?? throw new RpcException(new Status(StatusCode.Internal, "the peer ended the call in OK without a response"), call.GetTrailers());
        return await call.ReadAsync().ConfigureAwait(false) is null
            ? response
            : throw new RpcException(new Status(StatusCode.Internal, "the peer sent more than one response to a unary call"));
    }

    private HttpStreamingCall<TRequest, TResponse> Start<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var content = new RequestContent();
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(origin + method.FullName))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        AddHeaders(request, call);
        var started = new HttpStreamingCall<TRequest, TResponse>(content, method, channel, call, channelClosed);
        started.Start(http, request);
        return started;
    }

    private void AddHeaders(HttpRequestMessage request, CallOptions call)
    {
        var headers = request.Headers;
        headers.Host = authority;
        headers.TryAddWithoutValidation("te", "trailers");
        headers.TryAddWithoutValidation("user-agent", channel.UserAgent);
        headers.TryAddWithoutValidation(MetadataHeaders.AcceptEncoding, Framing.MessageEncodings.Accepted);
        if (channel.CompressRequests)
        {
            headers.TryAddWithoutValidation(MetadataHeaders.Encoding, "gzip");
        }
        if (call.Deadline is { } deadline)
        {
            headers.TryAddWithoutValidation(MetadataHeaders.Timeout, GrpcTimeout.Format(deadline));
        }
        foreach (var entry in call.Headers ?? new Metadata())
        {
            headers.TryAddWithoutValidation(entry.Key, MetadataHeaders.Value(entry));
        }
    }
}

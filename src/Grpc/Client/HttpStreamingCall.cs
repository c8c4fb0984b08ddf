using System;
using System.IO.Pipelines;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Postern.Grpc.Framing;
using Postern.Grpc.Headers;

namespace Postern.Grpc.Client;

/// <summary>One call as one HTTP/2 request. Owner: its caller. How it ended is written once, by whoever sees the end first.</summary>
internal sealed class HttpStreamingCall<TRequest, TResponse> : StreamingCall<TRequest, TResponse>
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    private readonly RequestContent content;
    private readonly Method<TRequest, TResponse> method;
    private readonly GrpcChannelOptions channel;
    private readonly CallEnd end;
    private readonly TaskCompletionSource<Metadata> headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HttpResponseMessage? response;
    private Task<MessageReader?> opened = Task.FromResult<MessageReader?>(null);
    private bool completed;

    public HttpStreamingCall(RequestContent content, Method<TRequest, TResponse> method, GrpcChannelOptions channel, CallOptions options, CancellationToken channelClosed)
    {
        this.content = content;
        this.method = method;
        this.channel = channel;
        end = new CallEnd(channel.TimeProvider, options, Release, channelClosed);
        _ = headers.Task.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public override Task<Metadata> ResponseHeadersAsync => headers.Task;

    /// <summary>Sends the request's headers.</summary>
    public void Start(HttpMessageInvoker http, HttpRequestMessage request)
    {
        end.Arm();
        opened = OpenAsync(http, request);
    }

    public override async ValueTask WriteAsync(TRequest message, CancellationToken cancellationToken = default)
    {
        if (completed)
        {
            throw new InvalidOperationException("a message after CompleteAsync");
        }
        if (end.Outcome is not null)
        {
            throw WriteFailed(null);
        }
        using var frame = MessageWriter.Frame(message, channel.MaxSendMessageBytes, channel.CompressRequests ? MessageEncoding.Gzip : MessageEncoding.Identity);
        using var linked = Link(cancellationToken);
        try
        {
            await content.WriteAsync(frame.Memory, linked?.Token ?? end.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                // Part of the message may be out: what follows would be read as its rest.
                End(new Status(StatusCode.Cancelled, "a write was cancelled"));
                cancellationToken.ThrowIfCancellationRequested();
            }
            // The write fails because the call is over; its status is on the way.
            await opened.ConfigureAwait(false);
            throw WriteFailed(e);
        }
    }

    public override ValueTask CompleteAsync(CancellationToken cancellationToken = default)
    {
        completed = true;
        content.Complete();
        return ValueTask.CompletedTask;
    }

    public override async ValueTask<TResponse?> ReadAsync(CancellationToken cancellationToken = default)
    {
        var reader = await opened.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (end.Outcome is null && reader is not null)
        {
            using var linked = Link(cancellationToken);
            try
            {
                if (await reader.ReadAsync(method.ReadResponse, linked?.Token ?? end.Token).ConfigureAwait(false) is { } message)
                {
                    return message;
                }
                End(ResponseStatus.OfTrailers(response!), ResponseStatus.Metadata(response!.TrailingHeaders));
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && !end.Token.IsCancellationRequested)
            {
                throw;
            }
            catch (Exception e)
            {
                End(e);
            }
            reader.Complete();
        }
        var outcome = end.Outcome!;
        return outcome.Status.StatusCode == StatusCode.OK ? null : throw outcome.ToException();
    }

    public override Status GetStatus() => (end.Outcome ?? throw new InvalidOperationException("the call has not ended")).Status;

    public override Metadata GetTrailers() => (end.Outcome ?? throw new InvalidOperationException("the call has not ended")).Trailers;

    /// <summary>Ends the call from this side, unless it has ended.</summary>
    public void End(Status status, Metadata? trailers = null) => end.Set(new CallOutcome(status, trailers ?? [], null));

    public override ValueTask DisposeAsync()
    {
        End(new Status(StatusCode.Cancelled, "the call was disposed"));
        return ValueTask.CompletedTask;
    }

    private async Task<MessageReader?> OpenAsync(HttpMessageInvoker http, HttpRequestMessage request)
    {
        try
        {
            // Exchanged, not assigned: Release, which may run at this moment, sees the response or this sees the end.
            Interlocked.Exchange(ref response, await http.SendAsync(request, end.Token).ConfigureAwait(false));
            headers.TrySetResult(ResponseStatus.Metadata(response.Headers));
            if (end.Outcome is not null)
            {
                response.Dispose();
                return null;
            }
            if (ResponseStatus.OfHeaders(response) is { } status)
            {
                End(status, ResponseStatus.Metadata(response.Headers));
                return null;
            }
            var name = ResponseStatus.Last(response.Headers, MetadataHeaders.Encoding);
            if (!MessageEncodings.TryParse(name, out var encoding))
            {
                End(new Status(StatusCode.Internal, $"the peer sends grpc-encoding '{name}', which was not offered"));
                return null;
            }
            var body = await response.Content.ReadAsStreamAsync(end.Token).ConfigureAwait(false);
            return new MessageReader(PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: 16 << 10, leaveOpen: true)), channel.MaxReceiveMessageBytes, encoding);
        }
        catch (Exception e)
        {
            End(e);
            content.Abort(e);
            headers.TrySetException(end.Outcome!.ToException());
            return null;
        }
    }

    private void End(Exception cause)
    {
        var status = cause is RpcException own ? own.Status : TransportFailure.ToStatus(cause);
        if (status.StatusCode == StatusCode.Cancelled && end.DeadlinePassed)
        {
            // The peer keeps the same deadline and may reset the stream a moment before the timer of this side.
            status = CallEnd.DeadlineStatus;
        }
        end.Set(new CallOutcome(status, [], cause));
    }

    private RpcException WriteFailed(Exception? cause) => end.Outcome switch
    {
        null => new RpcException(TransportFailure.ToStatus(cause!), null, cause),
        { Status.StatusCode: StatusCode.OK } outcome => new RpcException(new Status(StatusCode.Unavailable, "the peer has ended the call"), outcome.Trailers, cause),
        var outcome => outcome.ToException(),
    };

    private CancellationTokenSource? Link(CancellationToken cancellationToken) =>
        cancellationToken.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(end.Token, cancellationToken) : null;

    // Resets the stream when it is still open (CANCEL), and lets the request's body end.
    private void Release()
    {
        content.Complete();
        response?.Dispose();
    }
}

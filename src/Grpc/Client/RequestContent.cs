using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading;
using System.Threading.Tasks;
using Postern.Grpc.Headers;

namespace Postern.Grpc.Client;

/// <summary>
/// The request body as a stream that stays open until the caller is done. Its headers go out first, so the peer may answer before
/// the first message. Owner: one call.
/// </summary>
internal sealed class RequestContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RequestContent()
    {
        Headers.ContentType = new MediaTypeHeaderValue(MetadataHeaders.ContentType);
        // A call that ends before its body opened is nobody's unobserved error.
        _ = opened.Task.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Hands bytes to the transport; waits for its flow control.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var stream = await opened.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends the body.</summary>
    public void Complete() => completed.TrySetResult();

    /// <summary>The request will never be sent: wakes who waits for it.</summary>
    public void Abort(Exception cause)
    {
        opened.TrySetException(cause);
        completed.TrySetResult();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // The transport keeps the headers back until something is written; a peer that speaks first would never be asked.
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        if (!opened.TrySetResult(stream))
        {
            // The transport tries a refused request again, but messages may have gone into the first try already.
            throw new IOException("the peer refused the stream; a streamed request is not sent twice");
        }
        // Not the token: it fires when the peer resets the stream, and the failure of this body would hide the peer's error code.
        // The end of the call completes the body in any case.
        await completed.Task.ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

using System;
using System.IO.Pipelines;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Proxy.Admin;

/// <summary>Writes JSON into a response and waits, without a thread, whenever the reader has to catch up.</summary>
internal sealed class JsonStream(PipeWriter output, JsonWriterOptions options, CancellationToken cancellation) : IAsyncDisposable
{
    private const int PieceBytes = 32 * 1024;

    private long sent;

    public Utf8JsonWriter Json { get; } = new(output, options);

    /// <summary>To be called between items: sends what there is, if it is worth it.</summary>
    public async ValueTask PaceAsync()
    {
        if (Json.BytesCommitted + Json.BytesPending - sent < PieceBytes)
        {
            return;
        }
        Json.Flush();
        sent = Json.BytesCommitted;
        var result = await output.FlushAsync(cancellation).ConfigureAwait(false);
        if (result.IsCompleted || result.IsCanceled)
        {
            throw new OperationCanceledException("the reader is gone");
        }
    }

    /// <summary>Completes the document.</summary>
    public async ValueTask DisposeAsync()
    {
        await Json.DisposeAsync().ConfigureAwait(false);
        await output.FlushAsync(cancellation).ConfigureAwait(false);
    }
}

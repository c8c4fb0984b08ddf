using System;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Http;

/// <summary>
/// A body of HTTP/1 out of a connection's receive buffer, piece by piece where it lies: nothing is copied. A body that ends early or breaks its framing is an error,
/// never a short success. One per connection, for one message after the other.
/// </summary>
/// <param name="input">Shared with whoever reads the heads.</param>
/// <param name="trailers">Gathers the trailer section.</param>
/// <param name="malformed">Code for framing that is wrong.</param>
/// <param name="short">Code for a connection that is closed before the body ends.</param>
/// <param name="reset">Code for one that is reset.</param>
/// <param name="peer">"client" or "upstream", for details.</param>
internal sealed class Http1BodyReader(ReceiveBuffer input, TrailerSection trailers, ErrorCode malformed, ErrorCode @short, ErrorCode reset, string peer) : IBodySource
{
    private BodyFramer framer;
    private int shown; // data bytes that the latest read gave and that are still in the buffer
    private ProxyError stopped;
    private volatile bool isStopped;

    /// <summary>Nothing of the message is left on the connection.</summary>
    public bool IsComplete => framer.IsComplete && !Failed;

    /// <summary>It broke: whatever the connection holds belongs to nothing.</summary>
    public bool Failed { get; private set; }

    /// <inheritdoc/>
    public HeaderBlock? Trailers => trailers.Fields;

    /// <summary>Starts a message's body.</summary>
    public void Begin(BodyFramer framing)
    {
        framer = framing;
        shown = 0;
        Failed = false;
        isStopped = false;
    }

    /// <summary>Chunks, whose trailers are kept.</summary>
    public void BeginChunked() => Begin(BodyFramer.Chunked(trailers));

    /// <summary>The message is over: what the latest read gave is taken.</summary>
    public void Finish()
    {
        input.Take(shown);
        shown = 0;
    }

    /// <summary>Reads end with this from now on. Whoever calls it wakes the pending one.</summary>
    public void Stop(ProxyError error)
    {
        stopped = error;
        isStopped = true;
    }

    /// <inheritdoc/>
    public ValueTask<BodyRead> ReadAsync()
    {
        Finish();
        return TryRead(out var read) ? new ValueTask<BodyRead>(read) : ReadSlowAsync();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BodyRead> ReadSlowAsync()
    {
        while (true)
        {
            var count = await input.FillAsync().ConfigureAwait(false);
            if (isStopped)
            {
                return Fail(stopped);
            }
            if (count == 0 && framer.IsUntilClose)
            {
                framer = BodyFramer.None();
                return BodyRead.End;
            }
            if (count <= 0)
            {
                return Fail(new ProxyError(count == 0 ? @short : reset, $"the {peer} {(count == 0 ? "closed" : "reset")} the connection within a message's body"));
            }
            if (TryRead(out var read))
            {
                return read;
            }
        }
    }

    private bool TryRead(out BodyRead read)
    {
        if (isStopped)
        {
            read = Fail(stopped);
            return true;
        }
        if (framer.IsComplete)
        {
            read = BodyRead.End;
            return true;
        }
        var error = framer.Next(input.Span, out var framing, out var data);
        if (error != Http1Error.None)
        {
            read = Fail(new ProxyError(malformed, $"the {peer}'s body is malformed: {Http1Errors.Label(error)}"));
            return true;
        }
        input.Take(framing);
        if (data > 0)
        {
            shown = data;
            var bytes = input.Memory[..data];
            shown += framer.TakeEnd(input.Span[data..]); // told with the data, the end saves a send
            read = new BodyRead(bytes, framer.IsComplete, ProxyError.None);
            return true;
        }
        read = BodyRead.End;
        return framer.IsComplete;
    }

    private BodyRead Fail(ProxyError error)
    {
        Failed = true;
        return new BodyRead(default, false, error);
    }
}

using System;
using System.IO;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Proxy.Tls;

/// <summary>
/// TLS whose closing word may be said while somebody reads. <see cref="SslStream.ShutdownAsync"/> alone takes no lock: next to a read that is just decrypting it
/// fails ("shutdown while in init", where a session ticket is being taken in) or reads, and loses, what the peer sent (OpenSSL's SSL_shutdown reads on once its
/// own part is said). Here it waits until the reader waits for the transport, or is done.
/// </summary>
internal sealed class SecureStream : SslStream
{
    private readonly ReaderTurn turn;
    private TaskCompletionSource? asked;

    /// <param name="transport">Bytes of the connection; owned.</param>
    /// <param name="peeked">Those that were read before.</param>
    public SecureStream(Stream transport, ReadOnlyMemory<byte> peeked = default)
        : this(new PeekedStream(transport, peeked))
    {
    }

    private SecureStream(PeekedStream below)
        : base(below)
    {
        turn = below.Turn;
        turn.Left = SayIfAsked;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        turn.Enter();
        var waits = false;
        try
        {
            var read = base.ReadAsync(buffer, cancellationToken);
            waits = !read.IsCompleted;
            return waits ? ReadSlowAsync(read) : read;
        }
        finally
        {
            if (!waits) // also where a broken connection throws at once
            {
                turn.Leave();
            }
        }
    }

    /// <summary>Says close_notify. Only when no write is under way, as with <see cref="Stream"/>. Reading goes on.</summary>
    public Task EndAsync()
    {
        lock (turn)
        {
            if (!turn.IsTaken)
            {
                return ShutdownAsync();
            }
            asked ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return asked.Task;
        }
    }

    // Called with the lock held, by a reader that leaves.
    private void SayIfAsked()
    {
        if (asked is { } waiting)
        {
            asked = null;
            _ = SayAsync(waiting);
        }
    }

    private async Task SayAsync(TaskCompletionSource waiting)
    {
        try
        {
            await ShutdownAsync().ConfigureAwait(false);
            waiting.SetResult();
        }
#pragma warning disable CA1031 // Whoever asked gets it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            waiting.SetException(e);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadSlowAsync(ValueTask<int> read)
    {
        try
        {
            return await read.ConfigureAwait(false);
        }
        finally
        {
            turn.Leave();
        }
    }
}

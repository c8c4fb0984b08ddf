using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Transport;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>One end of a connection in memory, for the code under test: what it reads comes from one queue, what it writes goes to the other.</summary>
internal class MemoryEnd(ByteQueue from, ByteQueue to) : Stream, IConnectionControl
{
    public bool PeerIsGone { get; set; }

    public bool HasInput => false;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>For a test that plays this end itself.</summary>
    public ByteQueue From => from;

    public ByteQueue To => to;

    /// <summary>Writes of this end wait for it: the peer does not read.</summary>
    public TaskCompletionSource? Stall { get; set; }

    public void ShutdownReceive() => from.End();

    public void ShutdownSend() => to.End();

    public void Reset()
    {
        from.Reset();
        to.Reset();
        Stall?.TrySetException(new IOException("reset"));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => from.ReadAsync(buffer, cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Stall is { } stall)
        {
            await stall.Task;
        }
        to.Write(buffer.Span);
        if (buffer.Length > 8192)
        {
            await Task.Yield(); // sometimes a write has to wait
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    // As a socket's close does: FIN, unless it was reset before.
    protected override void Dispose(bool disposing)
    {
        to.End();
        base.Dispose(disposing);
    }
}

using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Transport;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>The proxy's end of an in-memory client connection; the client's end is the two queues.</summary>
internal sealed class MemoryConnection(int maxRead) : Stream, IConnectionControl
{
    /// <summary>What the client writes.</summary>
    public ByteQueue FromClient { get; } = new(maxRead);

    /// <summary>What the client reads.</summary>
    public ByteQueue ToClient { get; } = new();

    public bool PeerIsGone { get; set; }

    public bool HasInput => PeerIsGone;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public void ShutdownReceive() => FromClient.End();

    public void ShutdownSend() => ToClient.End();

    public void Reset()
    {
        FromClient.Reset();
        ToClient.Reset();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => FromClient.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (PeerIsGone)
        {
            return ValueTask.FromException(new IOException("broken pipe"));
        }
        ToClient.Write(buffer.Span);
        return default;
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
        ToClient.End();
        base.Dispose(disposing);
    }
}

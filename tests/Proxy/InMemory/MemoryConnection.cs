using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>The proxy's end of an in-memory client connection; the client's end is the two queues. Writes never wait.</summary>
internal sealed class MemoryConnection(int maxRead) : MemoryEnd(new ByteQueue(maxRead), new ByteQueue())
{
    /// <summary>What the client writes.</summary>
    public ByteQueue FromClient => From;

    /// <summary>What the client reads.</summary>
    public ByteQueue ToClient => To;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (PeerIsGone)
        {
            return ValueTask.FromException(new IOException("broken pipe"));
        }
        ToClient.Write(buffer.Span);
        return default;
    }
}

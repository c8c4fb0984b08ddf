using System;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Http2;

/// <summary>A connection in memory with both ends for the code under test. Large writes complete later, as a full socket buffer makes them.</summary>
internal sealed class Pipe : IDisposable
{
    public Pipe()
    {
        var toRight = new ByteQueue();
        var toLeft = new ByteQueue();
        Left = new MemoryEnd(toLeft, toRight);
        Right = new MemoryEnd(toRight, toLeft);
    }

    public MemoryEnd Left { get; }

    public MemoryEnd Right { get; }

    public void Dispose()
    {
        Left.Dispose();
        Right.Dispose();
    }
}

using System;
using System.IO;
using System.Threading.Tasks;
using Postern.Proxy.Tls;

namespace Postern.Tests.Proxy.Tls;

/// <summary>What was peeked comes first, then the transport; its end is an error.</summary>
public sealed class PeekedStreamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task Reads_GiveThePeekedBytesThenTheOthersAndNoneTwice(int size)
    {
        await using var stream = new PeekedStream(new MemoryStream("world"u8.ToArray()), "hello "u8.ToArray());
        var all = new MemoryStream();
        var buffer = new byte[size];
        while (all.Length < 11)
        {
            Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty)); // asks whether there is something, and takes nothing
            all.Write(buffer.AsSpan(0, await stream.ReadAsync(buffer)));
        }
        Assert.Equal("hello world"u8.ToArray(), all.ToArray());
        Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty));
        await Assert.ThrowsAsync<IOException>(async () => Assert.Equal(-1, await stream.ReadAsync(buffer)));
    }
}

using System;
using System.Threading.Tasks;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>Both ends of a replayed connection, and what is said when one of them waits in vain.</summary>
internal sealed class PeerPair(RecordList records) : IDisposable
{
    public Peer Client { get; } = new();

    public Peer Upstream { get; } = new();

    /// <summary>Fails when it does not come true, or when one of the ends failed by itself.</summary>
    public async Task UntilAsync(Func<bool> condition, string what)
    {
        await Patience.UntilAsync(() => Client.Failure is not null || Upstream.Failure is not null || condition(), what, ToString);
        AssertNoFailure();
    }

    public void AssertNoFailure()
    {
        Assert.True(Client.Failure is null, $"the client failed: {Client.Failure}");
        Assert.True(Upstream.Failure is null, $"the upstream failed: {Upstream.Failure}");
    }

    public void Dispose()
    {
        Client.Dispose();
        Upstream.Dispose();
    }

    public override string ToString() => $"client: {Client}\nupstream: {Upstream}\nrecords:\n{records}";
}

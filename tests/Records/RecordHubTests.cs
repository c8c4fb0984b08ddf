using System;
using System.Linq;
using Postern.Records;

namespace Postern.Tests.Records;

public class RecordHubTests
{
    [Fact]
    public void ThrowingSink_DoesNotKeepTheRecordFromTheOthers()
    {
        var good = new CountingSink();
        using var hub = new RecordHub(new ThrowingSink(), good);

        hub.Publish(new VisibilityRecord());

        Assert.Equal(1, good.Written);
        Assert.Equal([new SinkCounters("throwing", 0, 0, 0, 1), new SinkCounters("counting", 1, 0, 0, 0)], hub.ReadCounters());
    }

    [Fact]
    public void AddAndRemove_ChangeWhoGetsTheNextRecord()
    {
        var first = new CountingSink();
        var second = new CountingSink();
        using var hub = new RecordHub(first);
        Assert.False(hub.Remove(second));
        hub.Add(second);
        hub.Publish(new VisibilityRecord());
        Assert.True(hub.Remove(first));
        hub.Publish(new VisibilityRecord());

        Assert.Equal((1, 2), (first.Written, second.Written));
        Assert.Equal(["counting"], hub.ReadCounters().Select(c => c.Sink));
        Assert.True(hub.Remove(second));
        Assert.True(hub.IsEmpty);
    }

    [Fact]
    public void Dispose_DisposesTheSinksAndPublishesNothingMore()
    {
        var sink = new CountingSink();
        var hub = new RecordHub(sink);
        hub.Dispose();
        hub.Publish(new VisibilityRecord());

        Assert.Equal((0, 1), (sink.Written, sink.Disposals));
    }

    private sealed class CountingSink : IRecordSink, IDisposable
    {
        public string Name => "counting";

        public long Written { get; private set; }

        public int Disposals { get; private set; }

        public long Dropped => 0;

        public void Write(VisibilityRecord record) => Written++;

        public void Dispose() => Disposals++;
    }

    private sealed class ThrowingSink : IRecordSink
    {
        public string Name => "throwing";

        public long Dropped => 0;

        public void Write(VisibilityRecord record) => throw new InvalidOperationException("broken");
    }
}

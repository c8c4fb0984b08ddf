using System;
using System.Diagnostics;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Udp;

namespace Postern.Tests.Netns.Udp;

/// <summary>The receiver's thread: what it hands on, what it counts, how it ends.</summary>
public sealed class ReceiverTests : IDisposable
{
    private readonly NetworkNamespace _host = new("udp");

    public void Dispose() => _host.Dispose();

    [NetnsFact]
    public void DatagramLongerThanTheRoom_IsShownCutAndSaysSo()
    {
        using var listener = Bind(new UdpListenerSpec(IPEndPoint.Parse("127.0.0.1:0")));
        using var client = Client(listener);
        client.Send(new byte[513]);
        client.Send(new byte[512]);
        var batch = new DatagramBatch(4, 512);

        Wait.Until(() => listener.Poll(0, SelectMode.SelectRead), () => "nothing came");
        Assert.Equal(2, batch.Receive(listener));

        Assert.True(batch.Truncated(0));
        Assert.Equal(512, batch.Payload(0).Length);
        Assert.False(batch.Truncated(1));
        Assert.Equal(512, batch.Payload(1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Source(2));
    }

    [NetnsFact]
    public void SocketThatDoesNotTellDestinations_NothingIsHandedOn()
    {
        var plain = _host.Inside(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(IPEndPoint.Parse("127.0.0.1:0"));
            return socket;
        });
        using var client = Client(plain);
        var called = 0;
        using var receiver = new UdpReceiver(plain, new DatagramBatch(), (_, _) => called++, _ => { });
        receiver.Start();

        client.Send("one"u8);
        client.Send("two"u8);

        Wait.Until(() => receiver.Counters.WithoutDestination == 2, () => $"{receiver.Counters.WithoutDestination} without destination");
        receiver.Stop();
        Assert.Equal((0, 0), (called, receiver.Counters.Received));
    }

    [NetnsFact]
    public void FullQueue_LossIsCounted()
    {
        using var listener = Bind(new UdpListenerSpec(IPEndPoint.Parse("127.0.0.1:0")) { ReceiveBufferBytes = 4096 });
        using var client = Client(listener);
        for (var i = 0; i < 100; i++)
        {
            client.Send(new byte[100]);
        }

        var batch = new DatagramBatch(200, 512);
        var first = batch.Receive(listener);
        client.Send("the next one tells"u8);
        Assert.Equal(1, batch.Receive(listener));

        Assert.InRange(first, 1, 99);
        Assert.Equal(100 - first, (int)batch.QueueDrops);
    }

    [NetnsFact]
    public void HandlerThatThrows_IsCountedLoggedOnceAndTheNextBatchComes()
    {
        var log = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var served = 0;
        var listener = Bind(new UdpListenerSpec(IPEndPoint.Parse("[::1]:0")));
        using var client = Client(listener);
        using var receiver = new UdpReceiver(
            listener,
            new DatagramBatch(1, 64),
            (batch, _) => served += batch.Payload(0)[0] == 'x' ? throw new InvalidOperationException("bad one") : 1,
            log.Enqueue);
        receiver.Start();

        client.Send("x"u8);
        client.Send("x"u8);
        client.Send("y"u8);

        Wait.Until(() => Volatile.Read(ref served) == 1, () => $"{served} served");
        Assert.Equal(2, receiver.Counters.HandlerFailures);
        Assert.Contains("bad one", Assert.Single(log), StringComparison.Ordinal);
    }

    [NetnsFact]
    public async Task Stop_IsPromptUnderLoadAndIdle()
    {
        var listener = Bind(new UdpListenerSpec(IPEndPoint.Parse("127.0.0.1:0")));
        using var flood = Client(listener);
        using var stop = new CancellationTokenSource();
        var sending = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                flood.Send("x"u8, SocketFlags.None, out _);
            }
        });
        sending.Start();
        using var busy = new UdpReceiver(listener, new DatagramBatch(), (_, _) => { }, _ => { });
        using var idle = new UdpReceiver(Bind(new UdpListenerSpec(IPEndPoint.Parse("127.0.0.1:0"))), new DatagramBatch(), (_, _) => { }, _ => { });
        busy.Start();
        idle.Start();
        Wait.Until(() => busy.Counters.Received > 1000, () => $"{busy.Counters.Received} received");

        var clock = Stopwatch.StartNew();
        busy.Stop();
        idle.Stop();
        var took = clock.Elapsed;
        await stop.CancelAsync();
        sending.Join();

        Assert.True(took < TimeSpan.FromSeconds(1), $"{took}");
        await Task.WhenAll(busy.Completion, idle.Completion).WaitAsync(TimeSpan.FromSeconds(5));
        var seen = busy.Counters.Received;
        busy.Stop();
        Assert.Equal(seen, busy.Counters.Received);
    }

    [NetnsFact]
    public void Stop_FromTheHandler_EndsAfterIt()
    {
        var listener = Bind(new UdpListenerSpec(IPEndPoint.Parse("127.0.0.1:0")));
        using var client = Client(listener);
        UdpReceiver? self = null;
        using var receiver = new UdpReceiver(listener, new DatagramBatch(), (_, _) => self!.Stop(), _ => { });
        self = receiver;
        receiver.Start();

        client.Send("x"u8);

        Assert.True(receiver.Completion.Wait(TimeSpan.FromSeconds(5)));
    }

    [NetnsFact]
    public void WarmReceiverAndSender_AllocateNothing()
    {
        var listener = Bind(new UdpListenerSpec(IPEndPoint.Parse("127.0.0.1:0")));
        using var client = Client(listener);
        client.ReceiveTimeout = 5000;
        using var sender = _host.Inside(() => ReplySender.Open(new ReplySenderSpec(AddressFamily.InterNetwork)));
        var replies = new ReplyBatch(AddressFamily.InterNetwork, 32, 512);
        var start = -1L; // not yet: a thread that has allocated nothing says 0
        var end = 0L;
        using var receiver = new UdpReceiver(
            listener,
            new DatagramBatch(32, 512),
            (batch, count) =>
            {
                // Reading the thread's own count: first at the 200th batch, last at each after it.
                end = GC.GetAllocatedBytesForCurrentThread();
                start = start < 0 && batch.Payload(0)[0] == 'm' ? end : start;
                replies.Clear();
                for (var i = 0; i < count; i++)
                {
                    replies.Add(batch.OriginalDestination(i), batch.Source(i), batch.Payload(i));
                }

                sender.Send(replies);
                sender.Send(batch.OriginalDestination(0), batch.Source(0), batch.Payload(0));
            },
            _ => { });
        receiver.Start();
        var buffer = new byte[16];
        for (var i = 0; i < 2000; i++)
        {
            client.Send(i < 1000 ? "warm"u8 : "measured"u8);
            client.Receive(buffer);
            client.Receive(buffer);
        }

        receiver.Stop();
        Assert.True(start >= 0 && receiver.Counters.Batches == 2000, $"{receiver.Counters.Batches} batches");
        Assert.Equal(0, end - start);
    }

    private Socket Bind(UdpListenerSpec spec) => _host.Inside(() => UdpListener.Bind(spec));

    private Socket Client(Socket listener) => _host.Inside(() =>
    {
        var client = new Socket(listener.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        client.Connect(listener.LocalEndPoint!);
        return client;
    });
}

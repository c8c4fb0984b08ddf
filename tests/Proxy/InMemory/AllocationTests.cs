using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Filters.Http;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Http;
using Postern.Proxy.Listeners;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Records;
using Postern.Xds.Config;
using Xunit.Abstractions;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>How many bytes one proxied keep-alive GET costs the heap, once everything is warm; over real sockets, as in service.</summary>
[Collection("allocation")]
public class AllocationTests(HttpEngineFixture fixture, ITestOutputHelper output) : IClassFixture<HttpEngineFixture>
{
    private const int Warm = 3000;
    private const int Counted = 3000;
    private const int Bound = 1070; // bytes: a fifth above the 891 that were the most in a release build; 655 where the client keeps pace

    [Fact]
    public async Task KeepAliveGet_AllocatesLittle()
    {
        using var host = new UpstreamHost();
        var server = Serve(host);
        using var client = Connect(host);
        Talk(client, Warm);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Talk(client, Counted);
        var each = (GC.GetTotalAllocatedBytes(precise: true) - before) / Counted;
        output.WriteLine($"{each} bytes per request");
        client.Dispose();
        await server;
        Assert.True(each <= Bound, $"{each} bytes per request, at most {Bound} are allowed");
    }

    private static void Talk(Socket client, int requests)
    {
        var request = "GET /ok HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n"u8.ToArray();
        var buffer = new byte[4096];
        for (var i = 0; i < requests; i++)
        {
            client.Send(request);
            for (var got = 0; got < 2 || !buffer.AsSpan(0, got).EndsWith("ok"u8);)
            {
                var count = client.Receive(buffer.AsSpan(got));
                Assert.NotEqual(0, count);
                got += count;
            }
        }
    }

    // A thread of its own with blocking calls, so that the upstream side allocates nothing that would be counted.
    private static Task Serve(UpstreamHost host) => Task.Factory.StartNew(
        () =>
        {
            using var socket = host.AcceptAsync(CancellationToken.None).GetAwaiter().GetResult();
            var answer = "HTTP/1.1 200 OK\r\nDate: D\r\nServer: t\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"u8.ToArray();
            var buffer = new byte[4096];
            while (socket.Receive(buffer) > 0)
            {
                socket.Send(answer);
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    private Socket Connect(UpstreamHost host)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 10_000 };
        client.Connect(listener.LocalEndPoint!);
        var accepted = listener.Accept();
        accepted.NoDelay = true;
        var policy = new TestPolicy();
        policy.Use("get-ok");
        var pod = new IPEndPoint(IPAddress.Parse("10.0.0.1"), 80);
        var source = new IPEndPoint(IPAddress.Parse("10.0.0.9"), 40001);
        var metadata = new ConnectionMetadata
        {
            Direction = TrafficDirection.Ingress,
            PodAddress = "10.0.0.1",
            SourceIdentity = 5,
            DestinationIdentity = 0,
            Source = source,
            Destination = pod,
            ProxyId = 0,
            Sni = "",
            UpstreamSourceAddress = null,
            Policy = policy,
        };
        var cluster = new ClusterSnapshot(new ClusterConfig("test", ClusterType.OriginalDst, TimeSpan.FromSeconds(5), []));
        var route = new RouteEntryConfig("all", StringMatchKind.Prefix, "/", [], false, "test", null, null);
        var sink = new Uncounted();
        var listening = new HttpListenerSnapshot(
            "test", [new L7PolicyFilter("", sink)], new RouteSlot(new RouteTable(new RouteConfig("r", [new VirtualHostConfig("v", ["*"], [route])]), _ => cluster)),
            sink, null, null, TimeSpan.FromSeconds(30), 60 * 1024, 100);
        var admission = new Admission(10);
        admission.TryEnter();
        var channel = new TransportChannel(new NetworkStream(accepted, ownsSocket: true), new SocketControl(accepted));
        var parts = new HttpConnectionParts("allocation", channel, default, listening, metadata, source, pod, host, new ConnectionRegistry(admission), null);
        _ = fixture.Engine.RunAsync(fixture.Engine.Begin(parts), parts);
        return client;
    }

    private sealed class Uncounted : IRecordSink
    {
        public string Name => "none";

        public long Dropped => 0;

        public void Write(VisibilityRecord record)
        {
        }
    }
}

/// <summary>Tests that count the whole process's allocations, or keep all of it busy: nothing may run beside them.</summary>
[CollectionDefinition("allocation", DisableParallelization = true)]
public class AllocationCollection;

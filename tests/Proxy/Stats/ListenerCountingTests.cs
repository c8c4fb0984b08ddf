using System;
using System.Diagnostics;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Proxy.Http;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Stats;

/// <summary>What a real listener counts, and that its cells come and go with it.</summary>
public sealed class ListenerCountingTests : IDisposable
{
    private readonly StatsRegistry stats = new();
    private readonly Admission admission = new(2);
    private readonly ListenerManager manager;

    public ListenerCountingTests()
    {
        var connector = new UpstreamConnector();
        var pipeline = new ConnectionPipeline(new HttpEngine(NullLoggerFactory.Instance), connector, NullLogger.Instance);
        manager = new ListenerManager(pipeline, connector, admission, TimeSpan.FromSeconds(5), NullLogger.Instance, stats);
    }

    public void Dispose()
    {
        manager.Apply([], Compile);
        manager.Dispose();
    }

    [Fact]
    public async Task ConnectionWithoutAChain_IsCounted()
    {
        var scope = Listen("web");
        using var client = await ConnectAsync();
        Until(scope + ".downstream_cx_destroy", 1);
        Assert.Equal(1, Value(scope + ".downstream_cx_total"));
        Assert.Equal(0, Value(scope + ".downstream_cx_active"));
        Assert.Equal(1, Value(scope + ".no_filter_chain_match"));
    }

    [Fact]
    public async Task ConnectionBeyondTheLimit_IsCountedAsOverflow()
    {
        var scope = Listen("web");
        Assert.Equal(Admitted.Yes, admission.TryEnter());
        Assert.Equal(Admitted.Yes, admission.TryEnter());
        using var client = await ConnectAsync();
        Until(scope + ".downstream_cx_overflow", 1);
        Assert.Equal(0, Value(scope + ".downstream_cx_total"));
    }

    [Fact]
    public void RemovedListener_TakesItsCellsAlong()
    {
        var scope = Listen("web");
        Assert.Equal(0, Value(scope + ".downstream_cx_total"));
        Assert.Equal(0, Value("http.web.downstream_rq_total"));
        manager.Apply([], Compile);
        Until(scope + ".downstream_cx_total", null);
        Until("http.web.downstream_rq_total", null);
    }

    [Fact]
    public void ChangedListener_CountsOnInTheSameCells()
    {
        var scope = Listen("web");
        var port = ((IPEndPoint)manager.Listening[0].Address).Port;
        HttpStats.In(stats, "web").RequestsTotal.Increment(); // a connection's; one more owner, so that the prefix stays
        var fixedPort = Config("web") with { Addresses = [new IPEndPoint(IPAddress.Loopback, 0)], TcpBacklogSize = 0, ListenerFiltersTimeout = TimeSpan.FromSeconds(1) };
        Assert.Empty(manager.Apply([fixedPort], Compile));
        Assert.Equal(port, manager.Listening[0].Address.Port);
        Assert.Equal(0, Value(scope + ".downstream_cx_total"));
        Assert.Equal(1, Value("http.web.downstream_rq_total"));
    }

    [Fact]
    public void ListenerThatCannotBeOpened_LeavesNoCells()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var config = Config("web") with { Addresses = [(IPEndPoint)taken.LocalEndPoint!] };
        Assert.NotEmpty(manager.Apply([config], Compile));
        Assert.Null(Value("http.web.downstream_rq_total"));
    }

    private string Listen(string name)
    {
        Assert.Empty(manager.Apply([Config(name)], Compile));
        return "listener." + ListenerStats.NameOf(manager.Listening[0].Address);
    }

    private static ListenerConfig Config(string name) => new() { Name = name, Addresses = [new IPEndPoint(IPAddress.Loopback, 0)] };

    // Stands for the compiler: it takes the scope of its connection manager's prefix.
    private ListenerSnapshot Compile(ListenerConfig config) => new()
    {
        Config = config,
        InspectTls = false,
        InspectHttp = false,
        MaxInspectBytes = 1024,
        Metadata = null,
        OriginalDst = false,
        Chains = new FilterChainMatcher<ChainSnapshot>([], null),
        Sink = new RecordList(),
        StatsScopes = [HttpStats.In(stats, config.Name).Scope],
    };

    private async Task<Socket> ConnectAsync()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await client.ConnectAsync(manager.Listening[0].Address);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // the refusal was quicker than the answer to connect
        }
        return client;
    }

    private long? Value(string name) => stats.Read().SingleOrDefault(sample => sample.Name.Dotted == name)?.Value;

    private void Until(string name, long? value)
    {
        var clock = Stopwatch.StartNew();
        while (Value(name) != value)
        {
            Assert.True(clock.Elapsed.TotalSeconds < 10, $"{name} is {Value(name)} and not {value} after 10 s");
            Thread.Yield();
        }
    }
}

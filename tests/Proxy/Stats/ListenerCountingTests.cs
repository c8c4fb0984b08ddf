using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Tests.Proxy.InMemory;
using Postern.Tests.Proxy.Listeners;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Stats;

/// <summary>What a real listener counts, and that its cells come and go with it.</summary>
public sealed class ListenerCountingTests : IDisposable
{
    private readonly Admission admission = new(2);
    private readonly ListenerRig rig;

    public ListenerCountingTests() => rig = new ListenerRig(admission, Compile);

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task ConnectionWithoutAChain_IsCounted()
    {
        var scope = Listen("web");
        using var client = await rig.ConnectAsync();
        await rig.UntilAsync(scope + ".downstream_cx_destroy", 1);
        Assert.Equal(1, rig.Value(scope + ".downstream_cx_total"));
        Assert.Equal(0, rig.Value(scope + ".downstream_cx_active"));
        Assert.Equal(1, rig.Value(scope + ".no_filter_chain_match"));
    }

    [Fact]
    public async Task ConnectionBeyondTheLimit_IsCountedAsOverflow()
    {
        var scope = Listen("web");
        Assert.Equal(Admitted.Yes, admission.TryEnter());
        Assert.Equal(Admitted.Yes, admission.TryEnter());
        using var client = await rig.ConnectAsync();
        await rig.UntilAsync(scope + ".downstream_cx_overflow", 1);
        Assert.Equal(0, rig.Value(scope + ".downstream_cx_total"));
    }

    [Fact]
    public async Task RemovedListener_TakesItsCellsAlong()
    {
        var scope = Listen("web");
        Assert.Equal(0, rig.Value(scope + ".downstream_cx_total"));
        Assert.Equal(0, rig.Value("http.web.downstream_rq_total"));
        rig.Apply();
        await rig.UntilAsync(scope + ".downstream_cx_total", null);
        await rig.UntilAsync("http.web.downstream_rq_total", null);
    }

    [Fact]
    public void ChangedListener_CountsOnInTheSameCells()
    {
        var scope = Listen("web");
        var port = ((IPEndPoint)rig.Manager.Listening[0].Address).Port;
        HttpStats.In(rig.Stats, "web").RequestsTotal.Increment(); // a connection's; one more owner, so that the prefix stays
        var fixedPort = ListenerRig.Config("web") with { Addresses = [new IPEndPoint(IPAddress.Loopback, 0)], TcpBacklogSize = 0, ListenerFiltersTimeout = TimeSpan.FromSeconds(1) };
        Assert.Equal(0, rig.Apply(fixedPort));
        Assert.Equal(port, rig.Manager.Listening[0].Address.Port);
        Assert.Equal(0, rig.Value(scope + ".downstream_cx_total"));
        Assert.Equal(1, rig.Value("http.web.downstream_rq_total"));
    }

    [Fact]
    public void ListenerThatCannotBeOpened_LeavesNoCells()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var config = ListenerRig.Config("web") with { Addresses = [(IPEndPoint)taken.LocalEndPoint!] };
        Assert.NotEqual(0, rig.Apply(config));
        Assert.Null(rig.Value("http.web.downstream_rq_total"));
    }

    private string Listen(string name)
    {
        Assert.Equal(0, rig.Apply(ListenerRig.Config(name)));
        return rig.Scope;
    }

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
        StatsScopes = [HttpStats.In(rig.Stats, config.Name).Scope],
    };
}

using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Proxy.Http;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Listeners;

/// <summary>Real listeners on loopback without a compiler: what a configuration becomes is the test's to say.</summary>
internal sealed class ListenerRig : IDisposable
{
    private readonly Func<ListenerConfig, ListenerSnapshot> compile;

    public ListenerRig(Admission admission, Func<ListenerConfig, ListenerSnapshot> compile)
    {
        this.compile = compile;
        var connector = new UpstreamConnector();
        var pipeline = new ConnectionPipeline(new HttpEngine(NullLoggerFactory.Instance), connector, NullLogger.Instance);
        Manager = new ListenerManager(pipeline, connector, admission, TimeSpan.FromSeconds(5), NullLogger.Instance, Stats);
    }

    public StatsRegistry Stats { get; } = new();

    public ListenerManager Manager { get; }

    /// <summary>Of the first listener's stats.</summary>
    public string Scope => "listener." + ListenerStats.NameOf(Manager.Listening[0].Address);

    /// <summary>On any port.</summary>
    public static ListenerConfig Config(string name) => new() { Name = name, Addresses = [new IPEndPoint(IPAddress.Loopback, 0)] };

    /// <summary>Listens to these and no others; returns the problems.</summary>
    public int Apply(params ListenerConfig[] listeners) => Manager.Apply(listeners, compile).Count;

    /// <summary>A client of the first listener; it may be refused at once.</summary>
    public async Task<Socket> ConnectAsync(string from = "127.0.0.1")
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        try
        {
            await client.ConnectAsync(Manager.Listening[0].Address);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // the refusal was quicker than the answer to connect
        }
        return client;
    }

    /// <summary>Null when there is no such stat.</summary>
    public long? Value(string name) => Stats.Read().SingleOrDefault(sample => sample.Name.Dotted == name)?.Value;

    public Task UntilAsync(string name, long? value) => Patience.UntilAsync(() => Value(name) == value, $"{name} to be {value?.ToString() ?? "gone"}", () => $"it is {Value(name)}");

    public void Dispose()
    {
        Apply();
        Manager.Dispose();
    }
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using Postern.Agent.Envoy;

namespace Postern.Tests.Agent.Envoy;

public sealed class ProxyPortsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ports").FullName;
    private readonly List<string> log = [];
    private readonly ManualTime time = new();

    private string StateFile => Path.Combine(folder, "proxy_ports_state.json");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Name_KeepsItsPortOverARestart()
    {
        var ports = Make();
        var ingress = ports.Acquire("cilium-http-ingress");
        var egress = ports.Acquire("cilium-http-egress");
        Assert.NotEqual(ingress, egress);
        Assert.InRange(ingress, 10000, 20000);
        Assert.Equal(ingress, ports.Acquire("cilium-http-ingress"));

        // The proxy still listens there.
        using var proxy = Listen(IPAddress.Loopback, ingress);
        Assert.Equal(ingress, Make().Acquire("cilium-http-ingress"));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    public void PortInUse_IsNotGivenOut(string address)
    {
        using var other = Listen(IPAddress.Parse(address), 0);
        var taken = (ushort)((IPEndPoint)other.LocalEndPoint!).Port;
        var ports = new ProxyPorts(new ProxyPortsOptions { First = taken, Last = taken });
        Assert.Contains("widen the range", Assert.Throws<IOException>(() => ports.Acquire("a")).Message);
    }

    [Fact]
    public void ReleasedPort_Rests()
    {
        using var probe = Listen(IPAddress.Loopback, 0);
        var free = (ushort)((IPEndPoint)probe.LocalEndPoint!).Port;
        probe.Dispose();
        var ports = new ProxyPorts(new ProxyPortsOptions { First = free, Last = free, Time = time });
        Assert.Equal(free, ports.Acquire("a"));
        ports.Release(free);
        Assert.Empty(ports.Read());
        Assert.Throws<IOException>(() => ports.Acquire("a"));
        time.Now += TimeSpan.FromMinutes(5);
        Assert.Equal(free, ports.Acquire("a"));
    }

    [Theory]
    [InlineData("{\"a\":")]
    [InlineData("[1]")]
    [InlineData("{\"a\": 70000}")]
    public void BadStateFile_IsPassedOverWithALine(string text)
    {
        File.WriteAllText(StateFile, text);
        Assert.InRange(Make().Acquire("a"), 10000, 20000);
        Assert.Contains(StateFile, Assert.Single(log));
    }

    [Fact]
    public void PortOutsideOfTheRangeOrTwice_IsForgotten()
    {
        File.WriteAllText(StateFile, "{\"a\": 80, \"b\": 10005, \"c\": 10005}");
        var port = Assert.Single(Make().Read());
        Assert.Equal(10005, port.Value);
        Assert.Empty(log);
    }

    private ProxyPorts Make() => new(new ProxyPortsOptions { StateFile = StateFile, Log = log.Add, Time = time });

    private static Socket Listen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen();
        return socket;
    }

    private sealed class ManualTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}

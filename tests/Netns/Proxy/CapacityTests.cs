using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using Postern.Netns.Fixture;
using Xunit.Abstractions;

namespace Postern.Tests.Netns.Proxy;

/// <summary>Large bodies and many connections cost bounded memory. The numbers are printed.</summary>
[Collection(nameof(Alone))]
[Trait("Category", "Slow")]
public sealed class CapacityTests(ITestOutputHelper output) : IDisposable
{
    private const long Gib = 1L << 30;
    private const double MostGrowthMib = 64;
    private readonly ProxyRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [NetnsFact]
    public void GibEachWay_TakesConstantMemory()
    {
        var origin = _rig.AddOrigin();
        _rig.PutPolicy(ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1001))));
        var proxy = _rig.Start();
        using var client = _rig.Connect();
        Assert.StartsWith("200 ", client.Ask("/"), StringComparison.Ordinal);
        var before = proxy.MemoryMib("VmRSS");

        var clock = Stopwatch.StartNew();
        client.Send($"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {Gib}\r\n\r\n");
        var piece = new byte[1 << 20];
        for (long sent = 0; sent < Gib; sent += piece.Length)
        {
            for (var at = 0; at < piece.Length;)
            {
                at += client.Socket.Send(piece.AsSpan(at));
            }
        }
        Assert.Equal($"200 {Gib}", client.ReadAnswer());
        Assert.True(origin.Bytes > Gib);
        var uploaded = proxy.MemoryMib("VmHWM");
        output.WriteLine($"upload of 1 GiB: {clock.Elapsed.TotalSeconds:0.0} s, RSS before {before:0.0} MiB, peak {uploaded:0.0} MiB");

        clock.Restart();
        client.SendRequest($"/download/{Gib}");
        Assert.True(ReadBody(client.Socket, piece) >= Gib);
        var downloaded = proxy.MemoryMib("VmHWM");
        output.WriteLine($"download of 1 GiB: {clock.Elapsed.TotalSeconds:0.0} s, peak {downloaded:0.0} MiB, RSS after {proxy.MemoryMib("VmRSS"):0.0} MiB");

        Assert.True(downloaded - before < MostGrowthMib, $"grew from {before:0.0} to {downloaded:0.0} MiB");
    }

    [NetnsFact]
    public void TenThousandIdleConnections_AreHeldAndStillAnswer()
    {
        const int count = 10_000;
        DemandFiles();
        var origin = _rig.AddOrigin();
        _rig.PutPolicy(ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1001))));
        var proxy = _rig.Start();
        Assert.StartsWith("200 ", _rig.Try("/"), StringComparison.Ordinal);
        var before = proxy.MemoryMib("VmRSS");
        var clients = new List<Socket>(count);
        try
        {
            var target = System.Net.IPEndPoint.Parse(ProxyRig.Server + ":80");
            var request = "GET /idle HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray();
            var buffer = new byte[1024];
            _rig.Net.Client.Inside(() =>
            {
                const int batch = 200;
                for (var i = 0; i < count; i += batch)
                {
                    for (var j = 0; j < batch; j++)
                    {
                        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = Patience.Milliseconds };
                        clients.Add(socket);
                        socket.Connect(target);
                        socket.Send(request);
                    }
                    // Beyond a quarter of its descriptors the proxy closes idle upstream connections after a second; no faster than that, or it runs out.
                    Patience.Until(() => origin.Open < 6000, () => $"{origin.Open} upstream connections stay open");
                    for (var j = i; j < i + batch; j++)
                    {
                        Assert.StartsWith("HTTP/1.1 200", Encoding.ASCII.GetString(buffer, 0, clients[j].Receive(buffer)), StringComparison.Ordinal);
                    }
                }
            });
            var held = proxy.MemoryMib("VmRSS");
            output.WriteLine($"{count} idle connections: RSS before {before:0.0} MiB, held {held:0.0} MiB, {(held - before) * 1024 / count:0.0} KiB each");

            var random = new Random(7);
            for (var i = 0; i < 200; i++)
            {
                var one = clients[random.Next(count)];
                one.Send(request);
                Assert.StartsWith("HTTP/1.1 200", Encoding.ASCII.GetString(buffer, 0, one.Receive(buffer)), StringComparison.Ordinal);
            }
            Assert.True((held - before) * 1024 / count < 64, $"{held:0.0} MiB for {count} connections");
        }
        finally
        {
            foreach (var client in clients)
            {
                client.LingerState = new LingerOption(true, 0);
                client.Dispose();
            }
        }
    }

    private static long ReadBody(Socket socket, byte[] buffer)
    {
        long total = 0;
        while (total < Gib)
        {
            var count = socket.Receive(buffer);
            Assert.NotEqual(0, count);
            total += count;
        }
        return total;
    }

    // The tests hold the clients and the server's side, the proxy the two ends between; it inherits the limit.
    private static void DemandFiles()
    {
        var line = File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        var limit = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        Assert.True(limit == "unlimited" || long.Parse(limit, CultureInfo.InvariantCulture) >= 18_000, $"{line}: raise it to 20000 (ulimit -n)");
    }
}

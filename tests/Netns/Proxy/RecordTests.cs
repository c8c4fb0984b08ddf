using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using Cilium;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>The same events on the agent's socket, in the file and for observers.</summary>
public sealed class RecordTests : IDisposable
{
    private readonly ProxyRig _rig = new();
    private readonly Socket _agent = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);

    public RecordTests()
    {
        _rig.AddOrigin();
        _rig.Listener = _rig.Listener with { AccessLog = _rig.File("access_log.sock") };
        _agent.Bind(new UnixDomainSocketEndPoint(_rig.Listener.AccessLog));
        _agent.Listen(4);
        _agent.ReceiveTimeout = Patience.Milliseconds;
    }

    public void Dispose()
    {
        _agent.Dispose();
        _rig.Dispose();
    }

    [NetnsFact]
    public void AccessLogAndObserve_TellTheSameInOrder()
    {
        _rig.Start();
        Assert.StartsWith("200 ", _rig.Try("/public?a=b"), StringComparison.Ordinal);
        Assert.Equal("403 Access denied", _rig.Try("/secret"));
        Assert.Equal("reset", _rig.Try("/public", source: ProxyRig.Other));

        using var peer = _agent.Accept();
        peer.ReceiveTimeout = Patience.Milliseconds;
        var entries = Enumerable.Range(0, 5).Select(_ => Receive(peer)).ToList();

        Assert.Equal(
            [EntryType.Request, EntryType.Response, EntryType.Denied, EntryType.Response, EntryType.Denied],
            entries.Select(e => e.EntryType));
        Assert.Equal([1001u, 1001u, 1001u, 1001u, 1002u], entries.Select(e => e.SourceSecurityId));
        Assert.All(entries, e =>
        {
            Assert.True(e.IsIngress);
            Assert.Equal((15001u, "10.71.2.2:80", 0u, ProxyRig.Server), (e.ProxyId, e.DestinationAddress, e.DestinationSecurityId, e.PolicyName));
        });
        Assert.StartsWith(ProxyRig.Client + ":", entries[0].SourceAddress, StringComparison.Ordinal);
        Assert.StartsWith(ProxyRig.Other + ":", entries[4].SourceAddress, StringComparison.Ordinal);
        Assert.Equal(("GET", "/public?a=b", "origin", 200u), (entries[1].Http.Method, entries[1].Http.Path, entries[1].Http.Host, entries[1].Http.Status));
        Assert.Equal(("/secret", 403u), (entries[3].Http.Path, entries[3].Http.Status));
        Assert.Null(entries[4].Http);
        Assert.True(entries.Zip(entries.Skip(1)).All(p => p.First.Timestamp <= p.Second.Timestamp));

        var observed = Observe();
        Assert.Equal(
            entries.Select(e => $"{e.EntryType} {e.SourceSecurityId} {e.Http?.Path} {e.SourceAddress}"),
            observed.Select(r => $"{r.Text("entry_type")} {r.Text("source_security_id")} {r.Text("http.path")} {r.Text("source_address")}"));
        Assert.Equal(observed.Select(r => r.ToString()), _rig.ReadRecords().Select(r => r.ToString()));
    }

    [NetnsFact]
    public void AgentComesLate_LaterRecordsReachIt()
    {
        _agent.Dispose();
        File.Delete(_rig.Listener.AccessLog);
        var proxy = _rig.Start();
        Assert.StartsWith("200 ", _rig.Try("/public/early"), StringComparison.Ordinal);
        proxy.WaitForLog("access_log.sock");
        using var late = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        late.Bind(new UnixDomainSocketEndPoint(_rig.Listener.AccessLog));
        late.Listen(4);

        // It is tried again after a second at the latest.
        Patience.Until(() => _rig.Try("/public/late").StartsWith("200 ", StringComparison.Ordinal) && late.Poll(0, SelectMode.SelectRead), () => "nobody connects to the agent");
        using var peer = late.Accept();
        peer.ReceiveTimeout = Patience.Milliseconds;

        Assert.Equal("/public/late", Receive(peer).Http.Path);
    }

    private static LogEntry Receive(Socket peer)
    {
        var buffer = new byte[8192];
        return LogEntry.Parser.ParseFrom(buffer, 0, peer.Receive(buffer));
    }

    private List<System.Text.Json.JsonElement> Observe()
    {
        var command = PosternProcess.Command;
        var outcome = _rig.Net.Client.Run(command[0], [command[1], "observe", "--socket", _rig.ObserveSocket, "-o", "json", "--last", "5", "--follow", "false"]);
        return outcome.OrThrow().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => System.Text.Json.JsonElement.Parse(l)).ToList();
    }
}

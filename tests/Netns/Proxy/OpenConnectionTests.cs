using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>Connections that are open when policy or identities change.</summary>
public sealed class OpenConnectionTests : IDisposable
{
    private static readonly string OnlyClient = ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1001)));
    private static readonly string OnlyOther = ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1002)));
    private static readonly string Both = ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1001), ConfigText.Rule(1002)));
    private readonly ProxyRig _rig = new();
    private readonly TaskCompletionSource<string> _serverEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _rig.Dispose();

    [NetnsFact]
    public async Task RelayedConnectionIsForbidden_BothSidesAreResetAndOneRecordSaysWhy()
    {
        var proxy = StartRelay(OnlyClient);
        using var client = Echoing();
        var clock = System.Diagnostics.Stopwatch.StartNew();

        _rig.PutPolicy(proxy, OnlyOther);

        Assert.Equal("reset", client.ReadEnd());
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{clock.Elapsed}: only the limit of the test ended it");
        Assert.Equal("reset", await _serverEnd.Task.WaitAsync(Patience.Limit));
        var record = _rig.WaitForRecord(r => r.Text("reason") == "policy_changed");
        Assert.True(record.Text("entry_type") == "Denied" && record.Text("verdict") == "denied", record.ToString());
        var detail = record.GetProperty("detail").GetString()!;
        Assert.StartsWith("policy version v3 no longer allows the open connection (no_rule_for_identity): ", detail, StringComparison.Ordinal);
        Assert.Single(_rig.ReadRecords());
        proxy.WaitForLog("1 of 1 open connections are no longer allowed");
    }

    [NetnsFact]
    public void IdleKeepAliveIsForbidden_IsClosedAtOnceWithItsUpstreamConnection()
    {
        var origin = _rig.AddOrigin();
        var proxy = StartHttp(OnlyClient);
        using var client = _rig.Connect();
        Assert.StartsWith("200 ", client.Ask("/public"), StringComparison.Ordinal);
        Assert.Equal(1, origin.Open);

        _rig.PutPolicy(proxy, OnlyOther);

        Assert.Equal("reset", client.ReadEnd());
        Patience.Until(() => origin.Open == 0, () => "the upstream connection stays open");
        _rig.WaitForRecord(r => r.Text("reason") == "policy_changed" && r.Text("entry_type") == "Denied");
        Assert.Equal("reset", _rig.Try("/public"));
    }

    [NetnsFact]
    public void RequestIsInFlight_IsEndedWithoutGrace()
    {
        var origin = _rig.AddOrigin();
        var proxy = StartHttp(OnlyClient);
        using var client = _rig.Connect();
        client.SendRequest("/wait");
        Patience.Until(() => origin.Requests.Count == 1, () => "the request does not arrive");

        _rig.PutPolicy(proxy, OnlyOther);

        Assert.Equal("reset", client.ReadEnd());
        _rig.WaitForRecord(r => r.Text("reason") == "policy_changed" && r.Text("entry_type") == "Denied");
        _rig.WaitForRecord(r => r.Text("reason") == "policy_changed" && r.Text("entry_type") == "Response");
    }

    [NetnsFact]
    public void IdentityOfTheClientChanges_ItsConnectionIsJudgedByTheNewOne()
    {
        _rig.AddOrigin();
        var proxy = StartHttp(OnlyClient);
        using var client = _rig.Connect();
        using var v6 = _rig.Connect("[fd71:2::2]:80");
        Assert.StartsWith("200 ", client.Ask("/public"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", v6.Ask("/public"), StringComparison.Ordinal);

        _rig.Put("policy.json", ConfigText.Policy("moved", OnlyClient).Replace($"\"{ProxyRig.Client}/32\",", "", StringComparison.Ordinal));

        Assert.Equal("reset", client.ReadEnd());
        var record = _rig.WaitForRecord(r => r.Text("reason") == "policy_changed");
        Assert.Contains("the identity of its source was 1001 and is 2", record.GetProperty("detail").GetString()!, StringComparison.Ordinal);
        Assert.Equal(2, record.GetProperty("source_security_id").GetInt32());
        Assert.StartsWith("200 ", v6.Ask("/public"), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void RuleLooksInsideNow_RelayedConnectionIsReset()
    {
        var proxy = StartRelay(OnlyClient);
        using var client = Echoing();

        _rig.PutPolicy(proxy, ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.HttpRule(1001, "/public.*"))));

        Assert.Equal("reset", client.ReadEnd());
    }

    [NetnsFact]
    public void BrokenFileOrNone_ClosesNothing()
    {
        var proxy = StartRelay(OnlyClient);
        using var client = Echoing();

        _rig.Put("policy.json", ConfigText.Policy("broken", OnlyOther).Replace("\"ingress_per_port_policies\"", "\"ingres_per_port_policies\"", StringComparison.Ordinal));
        proxy.WaitForLog("ingres_per_port_policies");
        AssertEchoes(client);

        _rig.PutPolicy(proxy, OnlyOther);
        Assert.Equal("reset", client.ReadEnd());
    }

    [NetnsFact]
    public void AskedToKeepThem_TheyGoOnAndNewOnesAreRefused()
    {
        var proxy = StartRelay(OnlyClient, "--denied-connections", "keep");
        using var client = Echoing();

        _rig.PutPolicy(proxy, OnlyOther);

        Assert.Equal("reset", _rig.Try("/"));
        AssertEchoes(client);
    }

    [NetnsFact]
    public async Task FiftyChangesUnderLoad_OnlyTheForbiddenAreCut()
    {
        var proxy = StartRelay(Both);
        var allowed = Enumerable.Range(0, 20).Select(_ => Echoing()).ToList();
        var stop = false;
        var load = allowed.ConvertAll(client => Task.Run(() =>
        {
            var rounds = 0;
            for (; !System.Threading.Volatile.Read(ref stop); rounds++)
            {
                AssertEchoes(client);
            }
            return rounds;
        }));
        for (var i = 0; i < 25; i++)
        {
            using var other = Echoing(ProxyRig.Other);
            _rig.PutPolicy(proxy, OnlyClient);
            Assert.Equal("reset", other.ReadEnd());
            _rig.PutPolicy(proxy, Both);
        }
        System.Threading.Volatile.Write(ref stop, true);

        var rounds = await Task.WhenAll(load).WaitAsync(Patience.Limit);

        Assert.All(rounds, r => Assert.True(r > 25, $"a connection only came to {r} rounds"));
        Patience.Until(() => Closed().Count == 25, () => $"{Closed().Count} records");
        Assert.All(Closed(), r => Assert.Equal(1002, r.GetProperty("source_security_id").GetInt32()));
    }

    private List<System.Text.Json.JsonElement> Closed() => _rig.ReadRecords().FindAll(r => r.Text("reason") == "policy_changed");

    private PosternProcess StartHttp(string policy)
    {
        _rig.PutPolicy(policy);
        return _rig.Start();
    }

    private PosternProcess StartRelay(string policy, params string[] flags)
    {
        _rig.Listener = _rig.Listener with { Opaque = true };
        _rig.Own(new TcpOrigin(_rig.Net.Server, 80, EchoAsync));
        _rig.PutPolicy(policy);
        return _rig.Start(flags);
    }

    private HttpClientSocket Echoing(string? source = null)
    {
        var client = _rig.Connect(source: source);
        AssertEchoes(client);
        return client;
    }

    private static void AssertEchoes(HttpClientSocket client)
    {
        client.Send("ping");
        var seen = "";
        while (seen.Length < 4)
        {
            seen += client.ReadEnd();
        }
        Assert.Equal("ping", seen);
    }

    private async Task EchoAsync(Socket socket)
    {
        var buffer = new byte[1024];
        try
        {
            int count;
            while ((count = await socket.ReceiveAsync(buffer.AsMemory())) > 0)
            {
                await socket.SendAsync(buffer.AsMemory(0, count));
            }
            _serverEnd.TrySetResult("closed");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            _serverEnd.TrySetResult("reset");
        }
    }
}

using System;
using System.Diagnostics;
using System.Linq;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>How the proxy ends, and what it leaves.</summary>
public sealed class ShutdownTests : IDisposable
{
    private readonly ProxyRig _rig = new();
    private readonly Origin _origin;

    public ShutdownTests()
    {
        _origin = _rig.AddOrigin();
        _rig.PutPolicy(ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1001))));
    }

    public void Dispose() => _rig.Dispose();

    [NetnsTheory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public void Asked_RequestInFlightCompletesAndNothingStays(string signal)
    {
        var proxy = _rig.Start();
        Assert.NotEmpty(_rig.Steering());
        using var idle = _rig.Connect();
        Assert.StartsWith("200 ", idle.Ask("/"), StringComparison.Ordinal);
        using var client = Waiting();

        proxy.Signal(signal);
        proxy.WaitForLog("stopping");
        Assert.Equal("closed", idle.ReadEnd());
        // Still steered: what comes now must not pass around policy.
        Assert.NotEmpty(_rig.Steering());
        _origin.Release();

        Assert.StartsWith("200 10.71.1.2 ", client.ReadAnswer(), StringComparison.Ordinal);
        Assert.Equal(0, proxy.WaitForExit());
        Assert.Equal("", _rig.Steering());
        Assert.Equal("", proxy.Output);
        Assert.False(System.IO.File.Exists(_rig.ObserveSocket));
        Assert.Equal("Response", _rig.ReadRecords().Last().Text("entry_type"));
    }

    [NetnsFact]
    public void Asked_RequestThatNeedsSecondsCompletes()
    {
        var proxy = _rig.Start();
        using var client = Waiting();

        proxy.Signal("TERM");
        proxy.WaitForLog("stopping");
        var clock = Stopwatch.StartNew();
        Patience.Until(() => clock.Elapsed > TimeSpan.FromSeconds(4) || proxy.HasExited, () => ""); // --drain-time-s is 10; a command line library would wait for 2
        Assert.False(proxy.HasExited);
        _origin.Release();

        Assert.StartsWith("200 10.71.1.2 ", client.ReadAnswer(), StringComparison.Ordinal);
        Assert.Equal(0, proxy.WaitForExit());
        Assert.Equal("", _rig.Steering());
    }

    [NetnsFact]
    public void Asked_UploadUnderWayArrivesWhole()
    {
        var proxy = _rig.Start();
        using var client = _rig.Connect();
        client.Send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
        Patience.Until(() => _origin.Bytes > 5 && _origin.Accepts == 1, () => "the upload does not reach the origin");

        proxy.Signal("TERM");
        proxy.WaitForLog("stopping");
        // When the listener is gone, the drain has begun.
        Patience.Until(() => _rig.Net.Node.Run("ss", "-Hltn", "sport = :15001").OrThrow().Length == 0, () => "the listener stays open");
        client.Send("67890");

        Assert.Equal("200 10", client.ReadAnswer());
        Assert.Equal(0, proxy.WaitForExit());
    }

    [NetnsFact]
    public void Asked_WhatDrainsFollowsPolicyToItsEnd()
    {
        var proxy = _rig.Start("--drain-time-s", "600");
        using var client = _rig.Connect();
        client.Send("GET /late HTTP/1.1\r\nHost: x\r\n"); // a request that is not whole keeps its connection
        string Sockets() => _rig.Net.Node.Run("ss", "-HOtni", "sport = :80").Output;
        Patience.Until(() => Sockets() is var line && line.StartsWith("ESTAB 0 ", StringComparison.Ordinal) && line.Contains("bytes_received:", StringComparison.Ordinal), Sockets);

        proxy.Signal("TERM");
        proxy.WaitForLog("stopping");
        _rig.PutPolicy(proxy, ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1002))));
        client.Send("\r\n");

        Assert.Contains(client.ReadEnd()[..5], (string[])["HTTP/", "reset"]);
        Assert.Equal(0, proxy.WaitForExit());
        Assert.Empty(_origin.Requests);
    }

    [NetnsFact]
    public void Asked_ClientsThatSaidNothingAreLetGoAtOnce()
    {
        var proxy = _rig.Start("--drain-time-s", "600");
        using var silent = _rig.Connect();
        Assert.StartsWith("200 ", _rig.Try("/"), StringComparison.Ordinal); // accepted in order: the silent one was taken before

        proxy.Signal("TERM");

        // Nothing else keeps the proxy, so steering goes at once: the client's acknowledgement may reach the server, which answers with a reset.
        Assert.Contains(silent.ReadEnd(), (string[])["closed", "reset"]);
        Assert.Equal(0, proxy.WaitForExit());
    }

    [NetnsFact]
    public void SecondSignal_DoesNotWait()
    {
        var proxy = _rig.Start("--drain-time-s", "600");
        using var client = Waiting();

        proxy.Signal("TERM");
        proxy.WaitForLog("stopping");
        proxy.Signal("TERM");

        Assert.Equal(0, proxy.WaitForExit());
        Assert.Equal("", _rig.Steering());
        Assert.Equal("reset", client.ReadEnd());
    }

    [NetnsFact]
    public void DrainTimeOver_CutsWhatIsStillOpen()
    {
        var proxy = _rig.Start("--drain-time-s", "1");
        using var client = Waiting();

        proxy.Signal("TERM");

        Assert.Equal(0, proxy.WaitForExit());
        Assert.Equal("reset", client.ReadEnd());
        Assert.Equal("", _rig.Steering());
    }

    [NetnsFact]
    public void Killed_NothingPassesUntilANewStartReplacesTheRules()
    {
        var proxy = _rig.Start();
        Assert.StartsWith("200 ", _rig.Try("/"), StringComparison.Ordinal);
        var rules = _rig.Steering();

        proxy.Signal("KILL");
        Assert.NotEqual(0, proxy.WaitForExit());

        Assert.Equal("exit 28", _rig.Curl("-m", "1", "http://10.71.2.2/"));
        Assert.Equal("exit 28", _rig.Curl("-m", "1", "http://[fd71:2::2]/"));
        Assert.Equal(1, _origin.Accepts);

        var next = _rig.Start();
        Assert.Equal(rules, _rig.Steering());
        Assert.StartsWith("200 ", _rig.Try("/"), StringComparison.Ordinal);
        next.Signal("TERM");
        Assert.Equal(0, next.WaitForExit());
        Assert.Equal("", _rig.Steering());
    }

    [NetnsFact]
    public void NewStartWithoutSteering_RemovesLeftovers()
    {
        var proxy = _rig.Start();
        proxy.Signal("KILL");
        proxy.WaitForExit();
        Assert.NotEqual("", _rig.Steering());

        var next = _rig.Run().WaitReady();

        Assert.Equal("", _rig.Steering());
        Assert.Equal(1, next.CountLog("rules of an earlier run"));
    }

    [NetnsFact]
    public void KilledWithOpenConnection_ClientIsCutAndNotPassedThrough()
    {
        var proxy = _rig.Start();
        using var client = _rig.Connect();
        Assert.StartsWith("200 ", client.Ask("/"), StringComparison.Ordinal);

        proxy.Signal("KILL");
        proxy.WaitForExit();

        Assert.Contains(client.TryAsk("/again"), (string[])["reset", "closed"]);
        Assert.DoesNotContain(_origin.Requests, r => r.Contains("again", StringComparison.Ordinal));
    }

    private HttpClientSocket Waiting()
    {
        var client = _rig.Connect();
        client.SendRequest("/wait");
        Patience.Until(() => _origin.Requests.Any(r => r.EndsWith("/wait", StringComparison.Ordinal)), () => "the request does not reach the origin");
        return client;
    }
}

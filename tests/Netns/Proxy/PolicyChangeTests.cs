using System;
using System.IO;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>Policy files that change while connections are open.</summary>
public sealed class PolicyChangeTests : IDisposable
{
    private static readonly string Public = ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.HttpRule(1001, "/public.*")));
    private static readonly string Private = ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.HttpRule(1001, "/private.*")));
    private readonly ProxyRig _rig = new();
    private readonly Origin _origin;
    private readonly PosternProcess _proxy;

    public PolicyChangeTests()
    {
        _origin = _rig.AddOrigin();
        _proxy = _rig.Start();
    }

    public void Dispose() => _rig.Dispose();

    [NetnsFact]
    public void PolicyChanges_NextRequestOnTheOpenConnectionIsJudgedByIt()
    {
        using var client = _rig.Connect();
        Assert.StartsWith("200 ", client.Ask("/public"), StringComparison.Ordinal);

        _rig.PutPolicy(_proxy, Private);
        Assert.Equal("403 Access denied", client.Ask("/public"));

        _rig.PutPolicy(_proxy, Public);
        Assert.StartsWith("200 ", client.Ask("/public"), StringComparison.Ordinal);
        Assert.Equal(2, _origin.Requests.Count);
    }

    [NetnsFact]
    public void IdentityChanges_NextConnectionIsJudgedByIt()
    {
        Assert.Equal("reset", _rig.Try("/public", source: ProxyRig.Other));

        _rig.PutPolicy(_proxy, ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.HttpRule(1002, "/public.*"))));

        Assert.StartsWith("200 ", _rig.Try("/public", source: ProxyRig.Other), StringComparison.Ordinal);
        Assert.Equal("reset", _rig.Try("/public"));
    }

    [NetnsFact]
    public void PolicyRemoved_OpenAndNewConnectionsAreDenied()
    {
        using var client = _rig.Connect();
        Assert.StartsWith("200 ", client.Ask("/public"), StringComparison.Ordinal);

        _rig.PutPolicy(_proxy);

        Assert.Contains(client.TryAsk("/public"), (string[])["403 Access denied", "reset"]);
        Assert.Equal("reset", _rig.Try("/public"));
        Assert.Equal("reset", _rig.Try("/public", "[fd71:2::2]:80"));
        Assert.Single(_origin.Requests);
    }

    [NetnsFact]
    public void BrokenFile_LastGoodStaysInForceAndTheLineSaysWhere()
    {
        using var client = _rig.Connect();
        Assert.StartsWith("200 ", client.Ask("/public"), StringComparison.Ordinal);

        _rig.Put("policy.json", ConfigText.Policy("broken", Public).Replace("\"ingress_per_port_policies\"", "\"ingres_per_port_policies\"", StringComparison.Ordinal));

        // Three hosts and the policy's first line stand before the field.
        Assert.Contains("policy.json:6:", _proxy.WaitForLog("ingres_per_port_policies"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", client.Ask("/public"), StringComparison.Ordinal);
        Assert.Equal("403 Access denied", _rig.Try("/private"));
        Assert.Equal("reset", _rig.Try("/public", source: ProxyRig.Other));

        _rig.PutPolicy(_proxy, Private);
        Assert.Equal("403 Access denied", client.Ask("/public"));
        Assert.StartsWith("200 ", client.Ask("/private"), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void FileThatVanishes_LastGoodStaysInForce()
    {
        File.Delete(_rig.File("policy.json"));
        Assert.Contains("policy.json", _proxy.WaitForLog("warn:"), StringComparison.Ordinal);

        Assert.StartsWith("200 ", _rig.Try("/public"), StringComparison.Ordinal);
        Assert.Equal("403 Access denied", _rig.Try("/private"));
    }

    [NetnsFact]
    public void RegularExpressionThatDoesNotCompile_IsRejectedByName()
    {
        _rig.Put("policy.json", ConfigText.Policy("broken", ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.HttpRule(1001, "/(public")))));

        Assert.Contains("policy.json", _proxy.WaitForLog("/(public"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", _rig.Try("/public"), StringComparison.Ordinal);
    }
}

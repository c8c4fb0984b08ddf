using System;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>An egress listener: the pod is the source, and both ends have an identity.</summary>
public sealed class EgressTests : IDisposable
{
    private readonly ProxyRig _rig = new();
    private readonly Origin _origin;

    public EgressTests()
    {
        _origin = _rig.AddOrigin();
        _rig.Listener = _rig.Listener with { Ingress = false, ProxyId = 77 };
    }

    public void Dispose() => _rig.Dispose();

    [NetnsFact]
    public void PolicyOfTheSource_JudgesByTheDestinationsIdentity()
    {
        _rig.PutPolicy(ConfigText.ClientReaches(ConfigText.Port(80, ConfigText.HttpRule(2001, "/public.*"))));
        _rig.Start();

        Assert.Equal("200 10.71.1.2 10.71.2.2:80 GET /public", _rig.Try("/public"));
        Assert.Equal("200 fd71:1::2 [fd71:2::2]:80 GET /public", _rig.Try("/public", "[fd71:2::2]:80"));
        Assert.Equal("403 Access denied", _rig.Try("/secret"));

        var request = _rig.WaitForRecord(r => r.Text("entry_type") == "Request");
        Assert.Equal(("egress", "1001", "2001", ProxyRig.Client, "77"), (request.Text("traffic_direction"), request.Text("source_security_id"), request.Text("destination_security_id"), request.Text("policy_name"), request.Text("proxy_id")));
        var response = _rig.WaitForRecord(r => r.Text("entry_type") == "Response" && r.Text("http.status") == "403");
        Assert.Equal(("egress", "1001", "2001", "denied"), (response.Text("traffic_direction"), response.Text("source_security_id"), response.Text("destination_security_id"), response.Text("verdict")));
    }

    [NetnsFact]
    public void SourceWithoutPolicy_IsReset()
    {
        _rig.PutPolicy(ConfigText.ClientReaches(ConfigText.Port(80, ConfigText.Rule(2001))));
        _rig.Start();

        Assert.Equal("reset", _rig.Try("/public", source: ProxyRig.Other));

        Assert.Equal("no_policy_for_endpoint", _rig.WaitForRecord(r => r.Text("entry_type") == "Denied").Text("reason"));
        Assert.Equal(0, _origin.Accepts);
    }

    [NetnsFact]
    public void DestinationOfAnotherIdentity_IsReset()
    {
        _rig.PutPolicy(ConfigText.ClientReaches(ConfigText.Port(80, ConfigText.Rule(2002))));
        _rig.Start();

        Assert.Equal("reset", _rig.Try("/public"));

        var record = _rig.WaitForRecord(r => r.Text("entry_type") == "Denied");
        Assert.Equal(("no_rule_for_identity", "2001"), (record.Text("reason"), record.Text("destination_security_id")));
        Assert.Equal(0, _origin.Accepts);
    }

    [NetnsFact]
    public void IngressRulesOfTheSamePod_DoNotOpenEgress()
    {
        _rig.PutPolicy(ConfigText.ClientReaches(ConfigText.Port(80, ConfigText.Rule(2001))).Replace("egress_per", "ingress_per", StringComparison.Ordinal));
        _rig.Start();

        Assert.Equal("reset", _rig.Try("/public"));
        Assert.Equal("no_rules_for_direction", _rig.WaitForRecord(r => r.Text("entry_type") == "Denied").Text("reason"));
    }
}

using System;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>What keeps the proxy from starting: one clear line, exit code 1, nothing left in the kernel.</summary>
public sealed class StartupTests : IDisposable
{
    private readonly ProxyRig _rig = new();

    public StartupTests() => _rig.Put("bootstrap.json", ConfigText.Bootstrap([ConfigText.Steered(_rig.Listener)], [ConfigText.OriginalDst]));

    public void Dispose() => _rig.Dispose();

    [NetnsFact("../bin/setpriv")]
    public void NoCapability_IsSaid() =>
        AssertRefuses(_rig.RunIn(["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", "--reuid=0"], "--steer", ProxyRig.Steer80), "CAP_NET_ADMIN");

    [NetnsFact]
    public void PortInUse_IsSaidWithItsHolder()
    {
        using var holder = new Origin(_rig.Net.Node, 15001);

        AssertRefuses(_rig.Run("--steer", ProxyRig.Steer80), "15001", "in use");
    }

    [NetnsFact]
    public void NoIptables_IsSaid() =>
        AssertRefuses(_rig.RunIn(Hiding("/usr/sbin"), "--steer", ProxyRig.Steer80), "iptables");

    [NetnsTheory]
    [InlineData("/proc/none/records.json")]
    [InlineData("/")]
    public void UnwritableRecords_AreSaid(string path) => AssertRefuses(_rig.Run("--record-json", path), path, "record file");

    [NetnsFact]
    public void MissingBootstrap_IsSaid()
    {
        File.Delete(_rig.Bootstrap);

        AssertRefuses(_rig.Run(), "bootstrap.json");
    }

    [NetnsTheory]
    [InlineData("{\"node\":{\"id\":\"x\"},\n\"static_resorces\":{}}", "bootstrap.json:2:")]
    [InlineData("{\"node\":{\"id\":\"x\"", "bootstrap.json:1:")]
    [InlineData("", "bootstrap.json")]
    public void BrokenBootstrap_IsSaidWithItsPlace(string text, string place)
    {
        _rig.Put("bootstrap.json", text);

        AssertRefuses(_rig.Run(), place);
        AssertRefuses(_rig.Run("--mode", "validate"), place);
    }

    [NetnsTheory]
    [InlineData("--bogus")]
    [InlineData("--steer", "port=none")]
    [InlineData("--max-connections", "0")]
    [InlineData("--drain-time-s", "soon")]
    [InlineData("--record-headers", "some")]
    public void BadArgument_IsSaid(params string[] arguments)
    {
        var proxy = _rig.Run(arguments);

        Assert.Equal(1, proxy.WaitForExit());
        Assert.Contains(proxy.Log, line => line.Contains(arguments[0], StringComparison.Ordinal) || line.Contains(arguments[^1], StringComparison.Ordinal));
        Assert.DoesNotContain(proxy.Log, IsTrace);
        Assert.Equal("", _rig.Steering());
    }

    [NetnsFact]
    public void ObserveSocketTaken_IsSaid()
    {
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        other.Bind(new UnixDomainSocketEndPoint(_rig.ObserveSocket));
        other.Listen();

        AssertRefuses(_rig.Run(), "observe.sock");
    }

    [NetnsFact]
    public void ObserveSocketInUnwritableFolder_IsSaid() => AssertRefuses(_rig.Run("--observe-socket", "/proc/none/observe.sock"), "/proc/none/observe.sock");

    [NetnsFact]
    public void StaleObserveSocket_IsReplaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(_rig.ObserveSocket));
        }
        if (!File.Exists(_rig.ObserveSocket))
        {
            File.WriteAllText(_rig.ObserveSocket, "");
        }

        _rig.Run().WaitReady();
    }

    [NetnsFact]
    public void AnotherProxySteers_IsSaidAndItsRulesStay()
    {
        _rig.Start();
        var rules = _rig.Steering();
        _rig.Put("second.json", ConfigText.Bootstrap([ConfigText.Steered(_rig.Listener with { Port = 15002 })], [ConfigText.OriginalDst]));

        var second = _rig.Own(PosternProcess.Start(_rig.Net.Node, [], ["run", "-c", _rig.File("second.json"), "--observe-socket", "", "--steering", "iptables", "--steer", "port=81,proxy-port=15002"]));

        Assert.Equal(1, second.WaitForExit());
        Assert.Contains("another process steers", Complaint(second), StringComparison.Ordinal);
        Assert.Equal(rules, _rig.Steering());
    }

    [NetnsFact]
    public void Validate_GoodConfigurationIsOk()
    {
        var proxy = _rig.Run("--mode", "validate", "--steer", ProxyRig.Steer80);

        Assert.Equal(0, proxy.WaitForExit());
        Assert.Contains("OK", proxy.Output, StringComparison.Ordinal);
        Assert.Empty(proxy.Log);
        Assert.Equal("", _rig.Steering());
    }

    [NetnsFact]
    public void Validate_BrokenPolicyIsNotOk()
    {
        _rig.Put("policy.json", ConfigText.Policy("x", ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.HttpRule(1001, "/(")))));

        AssertRefuses(_rig.Run("--mode", "validate"), "policy.json", "/(");
    }

    [NetnsFact]
    public void Validate_MissingPolicyIsNotOk()
    {
        File.Delete(_rig.File("policy.json"));

        AssertRefuses(_rig.Run("--mode", "validate"), "policy.json");
    }

    [NetnsFact]
    public void DiskFull_ProxyGoesOnAndSaysSo()
    {
        _rig.AddOrigin();
        _rig.PutPolicy(ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1001))));
        var proxy = _rig.Start("--record-json", "/dev/full");

        Assert.StartsWith("200 ", _rig.Try("/"), StringComparison.Ordinal);
        proxy.WaitForLog("cannot write records to /dev/full");
        Assert.StartsWith("200 ", _rig.Try("/"), StringComparison.Ordinal);

        proxy.Signal("TERM");
        Assert.Equal(0, proxy.WaitForExit());
        Assert.Contains(proxy.Log, line => line.Contains("dropped", StringComparison.Ordinal) || line.Contains("lost", StringComparison.Ordinal));
        Assert.Equal("", _rig.Steering());
    }

    [NetnsFact]
    public void PolicyMissingAtStart_EverythingIsDeniedUntilItComes()
    {
        _rig.AddOrigin();
        File.Delete(_rig.File("policy.json"));
        var proxy = _rig.Start();
        proxy.WaitForLog("warn:");
        Assert.Equal("reset", _rig.Try("/"));

        _rig.PutPolicy(proxy, ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1001))));

        Assert.StartsWith("200 ", _rig.Try("/"), StringComparison.Ordinal);
    }

    private void AssertRefuses(PosternProcess proxy, params string[] words)
    {
        Assert.Equal(1, proxy.WaitForExit());
        var line = Complaint(proxy);
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.Ordinal));
        Assert.Equal("", _rig.Steering());
    }

    // Log lines of the start may stand before it; the complaint is the only line without a time stamp.
    private static string Complaint(PosternProcess proxy)
    {
        Assert.DoesNotContain(proxy.Log, IsTrace);
        return Assert.Single(proxy.Log, line => line.Length > 0 && !line.Contains(" postern", StringComparison.Ordinal) || line.StartsWith("postern:", StringComparison.Ordinal));
    }

    // Empty folders over these, in a mount namespace that ends with the process.
    private static string[] Hiding(string folder) => ["unshare", "--mount", "sh", "-c", $"mount -t tmpfs none {folder} && exec \"$0\" \"$@\""];

    private static bool IsTrace(string line) => line.Contains("   at ", StringComparison.Ordinal) || line.Contains("Unhandled", StringComparison.Ordinal);
}

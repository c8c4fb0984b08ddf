using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text.Json;
using System.Threading;
using Postern.Tests.Netns.Proxy;
using Postern.Xds.Discovery;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>The whole proxy under a control plane written on a foreign gRPC stack, each form of the protocol.</summary>
public sealed class ForeignServerTests
{
    private const string BadPath = "/public[";

    public static TheoryData<string> Forms => ["apart", "apart-delta", "ads", "ads-delta"];

    [ControlPlaneFact]
    public void CiliumsAgent_VersionIsTheNonceAndListenersWaitForClusters()
    {
        using var rig = new ControlPlaneRig(ControlPlaneRig.Apart);
        rig.Node.AddOrigin();
        var server = rig.StartServer("--cilium");
        rig.StartProxy();
        server.Publish(ResourceType.Listener, Resources.Listener(ConfigText.Steered(rig.Node.Listener)));
        server.WaitFor("a CDS request", e => ForeignControlPlane.IsRequest(e, ResourceType.Cluster));
        rig.PublishWorld(server);
        rig.WaitLive();

        Answer(rig, "/public", "200");
        Answer(rig, "/private", "403");
        var events = server.Events.ToList();
        var clusterAck = events.FindIndex(e => ForeignControlPlane.IsRequest(e, ResourceType.Cluster) && e.GetProperty("nonce").GetString()!.Length > 0);
        Assert.True(clusterAck >= 0 && clusterAck < events.FindIndex(e => ForeignControlPlane.IsSend(e, ResourceType.Listener)));
        Assert.All(
            events.Where(e => ForeignControlPlane.Is(e, "request") && e.GetProperty("nonce").GetString()!.Length > 0),
            e => Assert.Equal(e.GetProperty("nonce").GetString(), e.GetProperty("version").GetString()));
        // One stream for each type, and the node on its first message only.
        var nodes = events.Where(e => ForeignControlPlane.Is(e, "request")).GroupBy(e => e.GetProperty("stream").GetInt32());
        Assert.All(nodes, stream => Assert.Equal(
            stream.Select((_, i) => i == 0 ? "host~127.0.0.1~no-id~localdomain" : null),
            stream.Select(e => e.GetProperty("node").GetString())));
        Assert.Equal(4, nodes.Count());
    }

    [ControlPlaneTheory]
    [MemberData(nameof(Forms))]
    public void EveryForm_PolicyArrivesChangesAndIsEnforced(string form)
    {
        using var rig = ControlPlaneRig.Of(form);
        rig.Node.AddOrigin();
        var server = rig.StartServer();
        rig.StartProxy();
        rig.PublishWorld(server);
        rig.WaitLive();
        Answer(rig, "/public", "200");
        Answer(rig, "/private", "403");

        server.PublishAndWaitForAck(ResourceType.NetworkPolicy, ControlPlaneRig.PolicyOf("/private.*"));
        Assert.StartsWith("403 ", rig.Node.Try("/public"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", rig.Node.Try("/private"), StringComparison.Ordinal);

        server.PublishAndWaitForAck(ResourceType.NetworkPolicy);
        Assert.Equal("reset", rig.Node.Try("/private"));
    }

    [ControlPlaneTheory]
    [MemberData(nameof(Forms))]
    public void EveryForm_BadPolicyIsRefusedByNameAndTheLastGoodStays(string form)
    {
        using var rig = ControlPlaneRig.Of(form);
        rig.Node.AddOrigin();
        var server = rig.StartServer();
        rig.StartProxy();
        rig.PublishWorld(server);
        rig.WaitLive();
        Answer(rig, "/public", "200");

        var error = server.PublishAndWaitForNack(ResourceType.NetworkPolicy, ControlPlaneRig.PolicyOf(BadPath));
        Assert.Equal(13, error.GetProperty("code").GetInt32());
        Assert.Contains("42", error.GetProperty("message").GetString());
        Assert.Contains(BadPath, error.GetProperty("message").GetString());
        Assert.NotEmpty(error.GetProperty("details").EnumerateArray());
        Assert.StartsWith("200 ", rig.Node.Try("/public"), StringComparison.Ordinal);
        Assert.StartsWith("403 ", rig.Node.Try("/private"), StringComparison.Ordinal);
        Assert.Contains(BadPath, rig.Admin("/xds"), StringComparison.Ordinal);

        server.PublishAndWaitForAck(ResourceType.NetworkPolicy, ControlPlaneRig.PolicyOf("/private.*"));
        Assert.StartsWith("200 ", rig.Node.Try("/private"), StringComparison.Ordinal);
    }

    [ControlPlaneFact]
    public void ServerGoneFor30Seconds_VerdictsGoOnAndTheOpenConnectionLives()
    {
        using var rig = new ControlPlaneRig(ControlPlaneRig.Apart);
        rig.Node.AddOrigin();
        var server = rig.StartServer("--cilium");
        rig.StartProxy();
        rig.PublishWorld(server);
        rig.WaitLive();
        Answer(rig, "/public", "200");
        using var open = rig.Node.Connect();
        Assert.StartsWith("200 ", open.Ask("/public"), StringComparison.Ordinal);

        server.Dispose();
        var clock = Stopwatch.StartNew();
        var asked = 0;
        while (clock.Elapsed < TimeSpan.FromSeconds(30))
        {
            Assert.StartsWith("200 ", rig.Node.Curl("http://" + ProxyRig.Server + "/public"), StringComparison.Ordinal);
            Assert.StartsWith("403 ", rig.Node.Curl("http://" + ProxyRig.Server + "/private"), StringComparison.Ordinal);
            asked++;
        }
        Assert.True(asked > 10);

        // The new one knows nothing of the old one's numbers; policy must hold while it connects and change when it says so.
        var second = rig.StartServer("--cilium");
        rig.PublishWorld(second, "/private.*");
        second.WaitFor("an ACK of NPDS", e => ForeignControlPlane.IsRequest(e, ResourceType.NetworkPolicy) && e.GetProperty("nonce").GetString()!.Length > 0);
        Assert.Equal("403 Access denied", open.Ask("/public"));
        Assert.StartsWith("200 ", open.Ask("/private"), StringComparison.Ordinal);
        var first = second.Requests(ResourceType.NetworkPolicy)[0];
        Assert.Equal("1", first.GetProperty("version").GetString());
        Assert.Equal("", first.GetProperty("nonce").GetString());
    }

    [ControlPlaneTheory]
    [MemberData(nameof(Forms))]
    public void StreamsBreakAndReconnect_NoRequestSeesAnotherVerdict(string form)
    {
        using var rig = ControlPlaneRig.Of(form);
        rig.Node.AddOrigin();
        var server = rig.StartServer();
        var proxy = rig.StartProxy();
        rig.PublishWorld(server);
        rig.WaitLive();
        Answer(rig, "/public", "200");
        using var open = rig.Node.Connect();
        using var stop = new CancellationTokenSource();
        var wrong = new List<string>();
        var asked = 0;
        var asking = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                foreach (var (got, expected) in new[] { (open.TryAsk("/public"), "200 "), (open.TryAsk("/private"), "403 "), (rig.Node.Try("/public"), "200 ") })
                {
                    asked++;
                    if (!got.StartsWith(expected, StringComparison.Ordinal))
                    {
                        wrong.Add($"{got} in place of {expected}after {asked}");
                        return;
                    }
                }
            }
        });
        asking.Start();
        for (var i = 0; i < 3; i++)
        {
            var before = server.Events.Count;
            server.BreakStreams();
            server.WaitFor("a new NPDS subscription", e => ForeignControlPlane.IsRequest(e, ResourceType.NetworkPolicy), before);
            server.PublishAndWaitForAck(ResourceType.NetworkPolicy, ControlPlaneRig.PolicyOf($"/public.*|/n{i}"));
            var enough = Volatile.Read(ref asked) + 8;
            Patience.Until(() => Volatile.Read(ref asked) >= enough || !asking.IsAlive, () => $"{asked} asked, {enough} were to be");
        }
        stop.Cancel();
        asking.Join();
        Assert.True(wrong.Count == 0, string.Join("; ", wrong) + "\n" + string.Join('\n', proxy.Log.TakeLast(20)));
        Assert.True(asked > 20);
    }

    [ControlPlaneFact]
    public void Garbage_IsRefusedAndChangesNothing()
    {
        using var rig = new ControlPlaneRig(ControlPlaneRig.Apart);
        rig.Node.AddOrigin();
        var server = rig.StartServer();
        rig.StartProxy();
        rig.PublishWorld(server);
        rig.WaitLive();
        Answer(rig, "/public", "200");

        var garbage = new byte[64 * 1024 * 1024];
        new Random(7).NextBytes(garbage);
        foreach (var bytes in (byte[][])[garbage[..100], [], garbage])
        {
            server.SendRaw(ResourceType.NetworkPolicy, bytes);
            Assert.StartsWith("200 ", rig.Node.Try("/public"), StringComparison.Ordinal);
            Assert.StartsWith("403 ", rig.Node.Try("/private"), StringComparison.Ordinal);
        }
        server.Publish(ResourceType.NetworkPolicy, ControlPlaneRig.PolicyOf("/private.*"));
        Answer(rig, "/private", "200");
    }

    [ControlPlaneFact]
    public void RestartWhileTheControlPlaneIsAway_EnforcesTheStateOnDisk()
    {
        using var rig = new ControlPlaneRig(ControlPlaneRig.Apart);
        rig.Node.AddOrigin();
        var server = rig.StartServer("--cilium");
        var proxy = rig.StartProxy();
        rig.PublishWorld(server);
        rig.WaitLive();
        Answer(rig, "/public", "200");
        var state = rig.Node.File("state");
        // Each by its name: there are more kinds, and files under way.
        Patience.Until(
            () => System.IO.Directory.Exists(state) && Array.TrueForAll(["lds", "cds", "npds", "nphds"], kind => System.IO.Directory.GetFiles(state, kind + "-*.state").Length > 0),
            () => "not all state is on disk");
        server.Dispose();
        proxy.Signal("KILL");
        proxy.WaitForExit();

        rig.StartProxy();
        rig.WaitLive();
        Answer(rig, "/public", "200");
        Answer(rig, "/private", "403");
        Assert.Contains("disk", rig.Admin("/ready"), StringComparison.Ordinal);

        var second = rig.StartServer("--cilium");
        rig.PublishWorld(second, "/private.*");
        Answer(rig, "/private", "200");
        Patience.Until(() => !rig.Admin("/ready").Contains("disk", StringComparison.Ordinal), () => rig.Admin("/ready"));
    }

    // Steering is installed and listeners come when the control plane says so: ask until the expected answer, then it must stay.
    private static void Answer(ControlPlaneRig rig, string path, string expected)
    {
        var got = "";
        Patience.Until(() => (got = rig.Node.Try(path)).StartsWith(expected + " ", StringComparison.Ordinal), () => $"{path}: {got}, not {expected}\n{rig.Admin("/xds")}");
    }
}

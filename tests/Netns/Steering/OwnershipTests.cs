using System;
using System.Net;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Steering;
using Xunit;

namespace Postern.Tests.Netns.Steering;

/// <summary>Who steers, and what happens while owners change.</summary>
public sealed class OwnershipTests(Stage stage) : IClassFixture<Stage>
{
    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void SecondOwner_IsRefusedAndChangesNothing(SteeringMode mode)
    {
        var (where, server) = stage.Target(Place.Pod, v6: false);
        using var rig = new SteeringRig(stage.Net.Node, mode);
        rig.Steer(Rules(server));
        using var watch = new PacketWatch(where);

        stage.Net.Node.Inside(() =>
        {
            using var second = rig.Choose(SteeringOptions.Default with { CommandTimeout = TimeSpan.FromMilliseconds(200) });
            var error = Assert.Throws<TproxyException>(second.Claim);
            Assert.Contains("another process steers", error.Message, StringComparison.Ordinal);
            Assert.Throws<TproxyException>(() => second.Replace([]));
        });

        using var hammer = new Hammer(stage.Net.Client, server, 80);
        hammer.More(20);
        Assert.Empty(watch.Past);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void OwnerAndProxyAreKilledAndComeBack_NothingGoesPastAtAnyMoment(SteeringMode mode, bool v6)
    {
        var (where, server) = stage.Target(Place.Pod, v6);
        var loopback = v6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        using var rig = new SteeringRig(stage.Net.Node, mode);
        rig.Steer(Rules(server));
        using var watch = new PacketWatch(where);
        using var hammer = new Hammer(stage.Net.Client, server, 80);
        hammer.More(20);
        Assert.Empty(watch.FromNode);
        using (new TestRelay(stage.Net.Node, loopback))
        using (new DatagramRelay(stage.Net.Node, v6, 80))
        {
            Wait.Until(() => watch.FromNode.Count > 0, () => "the relays send nothing on");
            rig.Crash();
            hammer.More(20);
        }

        hammer.More(20);
        rig.Claim();
        hammer.More(20);
        rig.Steer(Rules(server));
        hammer.More(20);
        using (new TestRelay(stage.Net.Node, loopback))
        using (new DatagramRelay(stage.Net.Node, v6, 80))
        {
            var before = watch.FromNode.Count;
            Wait.Until(() => watch.FromNode.Count > before, () => "the relays that came back send nothing on");
        }

        Assert.Empty(watch.Past);
    }

    private static string[] Rules(IPAddress server) =>
        [$"to={server},port=1-65535,proxy-port={TestRelay.Port}", $"to={server},port=1-65535,proto=udp,proxy-port={DatagramRelay.Port}"];
}

using System;
using System.Collections.Generic;
using System.Net;
using Postern.Netns.Fixture;
using Postern.Tproxy.Steering;
using Xunit;

namespace Postern.Tests.Netns.Steering;

/// <summary>Steering switched on and off under connections that go on talking.</summary>
public sealed class ToggleTests(Stage stage) : IClassFixture<Stage>
{
    private const int Times = 20;
    private const int Connections = 4;

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void Keep_NoConnectionIsLostWhenSteeringGoesOnAndOff(SteeringMode mode, bool v6)
    {
        var (where, server) = stage.Target(Place.Pod, v6);
        using var echo = new ManyEcho(where, server, 80);
        using var relay = new TestRelay(stage.Net.Node, v6 ? IPAddress.IPv6Loopback : IPAddress.Loopback);
        using var rig = new SteeringRig(stage.Net.Node, mode);
        var options = SteeringOptions.Default with { OlderConnections = OlderConnections.Keep };
        var talks = new List<Talk>();
        try
        {
            Open(talks, server); // older than any chain or program
            rig.Steer(options, Rules(server));
            Open(talks, server); // steered
            Assert.Equal(Connections, relay.Seen.Count);
            rig.Steer();
            Open(talks, server); // between two times of steering
            Assert.Equal(Connections, relay.Seen.Count);

            for (var i = 0; i < Times; i++)
            {
                rig.Steer(Rules(server));
                Talk.Further(talks, 2);
                rig.Steer();
                Talk.Further(talks, 2);
            }

            Assert.All(talks, talk => Assert.Null(talk.Broken));
            Assert.Equal(Connections, relay.Seen.Count);
        }
        finally
        {
            talks.ForEach(talk => talk.Dispose());
        }
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void Cut_OnlyWhatBeganUnsteeredIsReset(SteeringMode mode, bool v6)
    {
        var (where, server) = stage.Target(Place.Pod, v6);
        using var echo = new ManyEcho(where, server, 80);
        using var relay = new TestRelay(stage.Net.Node, v6 ? IPAddress.IPv6Loopback : IPAddress.Loopback);
        using var rig = new SteeringRig(stage.Net.Node, mode);
        var steered = new List<Talk>();
        var older = new List<Talk>();
        try
        {
            Open(older, server);
            rig.Steer(Rules(server));
            AllAreReset(older);
            Open(steered, server);

            for (var i = 0; i < Times; i++)
            {
                rig.Steer();
                Talk.Further(steered, 2);
                if (i == 0)
                {
                    Open(older, server);
                }

                rig.Steer(Rules(server));
                Talk.Further(steered, 2);
                AllAreReset(older);
            }

            Assert.All(steered, talk => Assert.Null(talk.Broken));
            Assert.Equal(Connections, relay.Seen.Count);
        }
        finally
        {
            steered.ForEach(talk => talk.Dispose());
            older.ForEach(talk => talk.Dispose());
        }
    }

    /// <summary>Both directions of the connection match a rule.</summary>
    private static string[] Rules(IPAddress server) => [$"to={server},port=1-65535,proxy-port={TestRelay.Port}", $"from={server},port=1-65535,proxy-port={TestRelay.Port}"];

    private static void AllAreReset(List<Talk> talks) => talks.ForEach(talk =>
    {
        Wait.Until(() => talk.Broken is not null, () => "an older connection goes on");
        Assert.Equal("ConnectionReset", talk.Broken);
    });

    private void Open(List<Talk> talks, IPAddress server)
    {
        for (var i = 0; i < Connections; i++)
        {
            talks.Add(new Talk(stage.Net.Client, server, 80));
        }
    }
}

using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Netns.Bpf;

/// <summary>Which packets a rule in the maps concerns. Nobody listens, so that a match is a drop that is counted.</summary>
public sealed class MatchTests(SharedProgram program) : IClassFixture<SharedProgram>
{
    private const string Client = "10.0.1.2";
    private const string Server = "10.0.2.2";
    private const string Server6 = "fd71:2::2";
    private const string Client6 = "fd71:1::2";

    private ProgramRig Rig { get; } = program.Fresh();

    [NetnsFact]
    public void RuleOfASource_MatchesThatSource()
    {
        new HandWrittenSet().Host(Client, 1, SteeringLayout.RoleSource, HandWrittenSet.OnePort, 0).Rule(Frame.Tcp, 0, 1, 0, 80, 16, 1, 15001).Write(Rig.Maps);

        Assert.True(Matches(Frame.OfTcp(Client, 4000, Server, 80)));
        Assert.False(Matches(Frame.OfTcp("10.0.1.3", 4000, Server, 80)));
        Assert.False(Matches(Frame.OfTcp(Client, 4000, Server, 81)));
        Assert.False(Matches(Frame.OfUdp(Client, 4000, Server, 80)));
    }

    [NetnsFact]
    public void RuleOfAPair_MatchesBothAlone()
    {
        new HandWrittenSet()
            .Host(Client, 1, SteeringLayout.RolePairSource, HandWrittenSet.OnePort, 0)
            .Host(Server, 2, SteeringLayout.RolePairDestination, HandWrittenSet.OnePort, 0)
            .Rule(Frame.Tcp, 0, 1, 2, 80, 16, 1, 15001)
            .Write(Rig.Maps);

        Assert.True(Matches(Frame.OfTcp(Client, 4000, Server, 80)));
        Assert.False(Matches(Frame.OfTcp("10.0.1.3", 4000, Server, 80)));
        Assert.False(Matches(Frame.OfTcp(Client, 4000, "10.0.2.3", 80)));
        Assert.False(Matches(Frame.OfTcp(Server, 4000, Client, 80)));
    }

    [NetnsTheory]
    [InlineData(0)]
    [InlineData(SteeringLayout.FilterEverybodyDevice)]
    public void RuleOfNoAddress_MatchesEverybody(uint flag)
    {
        // lo, where trial runs take place, is device 1.
        new HandWrittenSet().Everybody(1u << 13, 0, flag).Rule(Frame.Tcp, flag == 0 ? 0u : 1u, 0, 0, 8080, 13, 1, 15001).Write(Rig.Maps);

        Assert.False(Matches(Frame.OfTcp(Client, 4000, Server, 8079)));
        Assert.True(Matches(Frame.OfTcp(Client, 4000, Server, 8080)));
        Assert.True(Matches(Frame.OfTcp(Client6, 4000, Server6, 8087)));
        Assert.False(Matches(Frame.OfTcp(Client6, 4000, Server6, 8088)));
    }

    [NetnsTheory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void RuleOfADevice_MatchesThatDevice(uint device, bool matches)
    {
        new HandWrittenSet()
            .Host(Server, 1, SteeringLayout.RoleDestination | SteeringLayout.RoleDevice, HandWrittenSet.OnePort, 0)
            .Rule(Frame.Tcp, device, 0, 1, 80, 16, 1, 15001)
            .Write(Rig.Maps);

        Assert.Equal(matches, Matches(Frame.OfTcp(Client, 4000, Server, 80)));
    }

    [NetnsFact]
    public void RulesThatAreLost_DropWhatTheyConcerned()
    {
        HandWrittenSet.To(Server, 80, 15001).Write(Rig.Maps);
        Rig.Maps.Rules.Delete(HandWrittenSet.Number(0));

        Assert.Equal(Trial.Dropped, Rig.Ingress(Frame.OfTcp(Client, 4000, Server, 80)).Answer);
        Assert.Equal(Trial.Dropped, Rig.Ingress(Frame.OfTcp(Client, 4000, Server, 81)).Answer); // nobody can say any more
        Assert.Equal(Trial.Dropped, Rig.Guard(Frame.OfTcp(Client, 4000, Server, 80), 77).Answer);
        Assert.Equal(Trial.Pass, Rig.Ingress(Frame.OfTcp(Client, 4000, "10.0.2.3", 80)).Answer);
        Assert.Equal("SetMissing=3", Rig.Counted());
    }

    [NetnsFact]
    public void NetsThatAreLost_DropAll()
    {
        new HandWrittenSet().Prefix("10.0.2.0/24", 1, SteeringLayout.RoleDestination, HandWrittenSet.OnePort, 0).Rule(Frame.Tcp, 0, 0, 1, 80, 16, 1, 15001).Write(Rig.Maps);
        Rig.Maps.Prefixes4.Delete(HandWrittenSet.Number(0));

        Assert.Equal(Trial.Dropped, Rig.Ingress(Frame.OfTcp(Client, 4000, Server, 80)).Answer);
        Assert.Equal("SetMissing=1", Rig.Counted());
    }

    [NetnsFact]
    public void Prefix_MatchesWhatIsWithinAndTheLongestDecides()
    {
        new HandWrittenSet()
            .Prefix("10.0.2.0/24", 1, SteeringLayout.RoleDestination, HandWrittenSet.AnyPort, 0)
            .Prefix("10.0.2.128/25", 2, 0, 0, 0)
            .Prefix("fd71:2::/32", 3, SteeringLayout.RoleDestination, HandWrittenSet.AnyPort, 0)
            .Rule(Frame.Tcp, 0, 0, 1, 0, 0, 1, 15001)
            .Rule(Frame.Tcp, 0, 0, 3, 0, 0, 1, 15001)
            .Write(Rig.Maps);

        Assert.True(Matches(Frame.OfTcp(Client, 4000, "10.0.2.127", 1)));
        Assert.False(Matches(Frame.OfTcp(Client, 4000, "10.0.2.128", 1)));
        Assert.False(Matches(Frame.OfTcp(Client, 4000, "10.0.3.1", 1)));
        Assert.True(Matches(Frame.OfTcp(Client6, 4000, "fd71:2:ffff::1", 65535)));
        Assert.False(Matches(Frame.OfTcp(Client6, 4000, "fd72:2::1", 65535)));
    }

    [NetnsFact]
    public void LowestOrder_ChoosesTheListener()
    {
        new HandWrittenSet()
            .Host(Server, 1, SteeringLayout.RoleDestination, HandWrittenSet.OnePort | HandWrittenSet.AnyPort, 0)
            .Everybody(HandWrittenSet.AnyPort, 0)
            .Rule(Frame.Tcp, 0, 0, 1, 80, 16, 2, 15002)
            .Rule(Frame.Tcp, 0, 0, 0, 0, 0, 1, 15001)
            .Write(Rig.Maps);
        using var first = Rig.Listen("127.0.0.1", 15001);

        Rig.Ingress(Frame.OfTcp(Client, 4000, Server, 80));

        // The one at 15001 is found; a trial run cannot assign it.
        Assert.Equal("AssignFailed=1", Rig.Counted());
    }

    [NetnsFact]
    public void RuleThatDrains_YieldsToOneInForceOfHigherOrder()
    {
        new HandWrittenSet()
            .Host(Server, 1, SteeringLayout.RoleDestination, HandWrittenSet.OnePort, 0)
            .Everybody(HandWrittenSet.AnyPort, 0)
            .Rule(Frame.Tcp, 0, 0, 1, 80, 16, 1, 15002, SteeringLayout.RuleDraining)
            .Rule(Frame.Tcp, 0, 0, 0, 0, 0, 9, 15001)
            .Write(Rig.Maps);

        Assert.True(Matches(Frame.OfTcp(Client, 4000, Server, 80)));
    }

    [NetnsFact]
    public void Generation_ChoosesTheHalf()
    {
        HandWrittenSet.To(Server, 80, 15001).Write(Rig.Maps);
        new HandWrittenSet().Write(Rig.Maps, generation: 1);
        Assert.False(Matches(Frame.OfTcp(Client, 4000, Server, 80)));

        Rig.Maps.State.Update(HandWrittenSet.Number(0), [.. HandWrittenSet.Number(2), 0, 0, 0, 0]);
        Assert.True(Matches(Frame.OfTcp(Client, 4000, Server, 80)));
    }

    private bool Matches(byte[] frame)
    {
        var before = Rig.Counters()[SteeringCounter.NoListener];
        Rig.Ingress(frame);
        return Rig.Counters()[SteeringCounter.NoListener] > before;
    }
}

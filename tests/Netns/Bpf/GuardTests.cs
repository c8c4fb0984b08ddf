using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Netns.Bpf;

/// <summary>What postern_guard lets out.</summary>
public sealed class GuardTests(SharedProgram program) : IClassFixture<SharedProgram>
{
    private const string Client = "10.0.1.2";
    private const string Server = "10.0.2.2";
    private const string Server6 = "fd71:2::2";
    private const ushort Port = 80;
    private const uint NewDevice = 77;
    private ProgramRig Rig { get; } = program.Fresh();

    [NetnsFact]
    public void PacketOfAnUnguardedDevice_IsDroppedIfARuleConcernsIt()
    {
        HandWrittenSet.To(Server, Port, 15001).Write(Rig.Maps);

        Assert.Equal(Trial.Dropped, Rig.Guard(Frame.OfTcp(Client, 4000, Server, Port), NewDevice).Answer);
        Assert.Equal(Trial.Dropped, Rig.Guard(Frame.OfTcp(Client, 4000, Server, Port, Frame.Ack), NewDevice).Answer);
        Assert.Equal(Trial.Dropped, Rig.Guard(Frame.OfUdp(Client, 4000, Server, Port), NewDevice).Answer);
        Assert.Equal(Trial.Dropped, Rig.Guard(Frame.Ip(Client, Server, Frame.Udp, new byte[24], 0x2000), NewDevice).Answer);
        Assert.Equal(Trial.Dropped, Rig.Guard(Frame.OfTcp(Client, 4000, Server, Port)[..40], NewDevice).Answer);
        Assert.Equal(Trial.Pass, Rig.Guard(Frame.OfTcp(Client, 4000, Server, Port + 1), NewDevice).Answer);
        Assert.Equal(Trial.Pass, Rig.Guard(Frame.OfTcp(Server, Port, Client, 4000, Frame.Ack), NewDevice).Answer);
        Assert.Equal(Trial.Pass, Rig.Guard(Frame.Ip(Client, Server, 1, new byte[8]), NewDevice).Answer);
        Assert.Equal("UnguardedDropped=5", Rig.Counted());
    }

    [NetnsFact]
    public void PacketMadeHereOrOfAGuardedDeviceOrOfTheProxy_Passes()
    {
        HandWrittenSet.To(Server, Port, 15001).Write(Rig.Maps);
        var frame = Frame.OfTcp(Client, 4000, Server, Port);
        Rig.Maps.Devices.Update(HandWrittenSet.Number(78), HandWrittenSet.Number(1));

        Assert.Equal(Trial.Pass, Rig.Guard(frame, 0).Answer);
        Assert.Equal(Trial.Pass, Rig.Guard(frame, 1).Answer);
        Assert.Equal(Trial.Pass, Rig.Guard(frame, 78).Answer);
        Assert.Equal(Trial.Pass, Rig.Guard(frame, NewDevice, 0x0b00).Answer);
        Assert.Empty(Rig.Counted());
        Assert.Equal(Trial.Dropped, Rig.Guard(frame, NewDevice).Answer);
    }

    [NetnsFact]
    public void AnswerOrOlderConnection_PassesAsAtTheIngress()
    {
        HandWrittenSet.To(Server, Port, 15001).Write(Rig.Maps, SteeringLayout.StateKeepOlder);
        var packet = Frame.OfTcp(Client, 4000, Server, Port, Frame.Ack);

        Assert.Equal(Trial.Pass, Rig.Guard(packet, NewDevice).Answer);
        Rig.Maps.Flows.Update(HandWrittenSet.Flow(Client, 4000, Server, Port), HandWrittenSet.Memory(SteeringLayout.FlowSteered));
        Assert.Equal(Trial.Dropped, Rig.Guard(packet, NewDevice).Answer);
        Rig.Maps.Flows.Update(HandWrittenSet.Flow(Server, Port, Client, 4000), HandWrittenSet.Memory(SteeringLayout.FlowUnsteered));
        Assert.Equal(Trial.Pass, Rig.Guard(packet, NewDevice).Answer);
        Assert.Equal(Trial.Dropped, Rig.Guard(Frame.OfTcp(Client, 4000, Server, Port), NewDevice).Answer);
    }

    // The rule is of some device by name; whether the new one has that name is not known here.
    [NetnsFact]
    public void RuleThatNamesADevice_CountsForEveryUnguardedOne()
    {
        new HandWrittenSet()
            .Host(Server6, 1, SteeringLayout.RoleDestination | SteeringLayout.RoleDevice, HandWrittenSet.OnePort, 0)
            .Rule(Frame.Tcp, 5, 0, 1, Port, 16, 1, 15001)
            .Write(Rig.Maps);

        Assert.Equal(Trial.Dropped, Rig.Guard(Frame.OfTcp("fd71:1::2", 4000, Server6, Port), NewDevice).Answer);
        Assert.Equal(Trial.Pass, Rig.Guard(Frame.OfUdp("fd71:1::2", 4000, Server6, Port), NewDevice).Answer);
    }
}

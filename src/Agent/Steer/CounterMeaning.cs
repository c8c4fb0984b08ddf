using System;
using Postern.Tproxy.Bpf;

namespace Postern.Agent.Steer;

/// <summary>A steering counter for people. The only wording: the table of docs/steering.md, the doctor's findings and <c>steering counters</c> have it from here.</summary>
/// <param name="Verdict">What becomes of the packet.</param>
/// <param name="When">Of which packets, and what they hint at.</param>
public sealed record CounterMeaning(string Verdict, string When)
{
    private const string Listener = "to a listener";
    private const string Socket = "to a socket";
    private const string Passes = "passes";
    private const string Dropped = "dropped";

    /// <summary>Every counter has one.</summary>
    public static CounterMeaning Of(SteeringCounter counter) => counter switch
    {
        SteeringCounter.SteeredNew => new(Listener, "a SYN that a rule concerns"),
        SteeringCounter.SteeredEstablished => new(Socket, "packets of connections that the proxy has"),
        SteeringCounter.SteeredDatagram => new(Listener, "UDP that a rule concerns"),
        SteeringCounter.Returned => new(Socket, "answers to the proxy's upstream sockets"),
        SteeringCounter.Drained => new(Socket, "packets of connections that the proxy has, by a rule that is gone"),
        SteeringCounter.FromProxy => new(Passes, "the proxy's own packets come back in, e.g. over lo"),
        SteeringCounter.AnswerPassed => new(Passes, "answers on a connection that began in the direction without a rule"),
        SteeringCounter.OlderPassed => new(Passes, "a connection older than the rules, which are told to keep those"),
        SteeringCounter.OlderCut => new(Listener, "a connection older than the rules: the listener resets it; also after the map of flows was too small"),
        SteeringCounter.NoListener => new(Dropped, "nobody listens at the proxy port: is the proxy down?"),
        SteeringCounter.AssignFailed => new(Dropped, "the kernel refused the socket: SO_REUSEPORT before Linux 6.6, or a socket of another network namespace"),
        SteeringCounter.FragmentDropped => new(Dropped, "fragments between addresses that rules concern: is the path MTU broken?"),
        SteeringCounter.FragmentPassed => new(Passes, "other fragments from or to addresses that rules name"),
        SteeringCounter.Truncated => new(Dropped, "headers not whole, or behind a second priority tag: broken or hostile"),
        SteeringCounter.ExtensionsDropped => new(Dropped, "more than six extension headers between addresses that rules concern"),
        SteeringCounter.VlanPassed => new(Passes, "tagged; the VLAN's device is asked"),
        SteeringCounter.OtherProtocol => new(Passes, "ICMP and the like, unless it is an error for the proxy"),
        SteeringCounter.NotIp => new(Passes, "ARP and the like"),
        SteeringCounter.UnguardedDropped => new("dropped at the egress", "came in by a device without the program: is it new, or did attaching fail?"),
        SteeringCounter.TimeWaitEnded => new("to the device's queue", "a SYN that meets a TIME_WAIT, sent round behind a reset; it comes again as `SteeredNew`, the reset as `SteeredEstablished`"),
        SteeringCounter.ErrorReturned => new("to the stack", "ICMP errors about what the proxy's sockets sent: a smaller MTU on the path, nobody listens"),
        SteeringCounter.SetMissing => new(Dropped, "rules concern the addresses, but the maps have lost them: restart the agent"),
        _ => throw new ArgumentOutOfRangeException(nameof(counter), counter, "no such counter"),
    };

    /// <summary>One line.</summary>
    public override string ToString() => $"{Verdict}: {When}";
}

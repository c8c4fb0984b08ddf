using Postern.Tproxy.Bpf;

namespace Postern.Agent.Steer;

/// <summary>The steering counters for people: what became of a packet, and what to do about it.</summary>
internal static class CounterMeaning
{
    /// <summary>One line; empty for a number that is not known.</summary>
    public static string Of(SteeringCounter counter) => counter switch
    {
        SteeringCounter.SteeredNew => "connections given to a listener",
        SteeringCounter.SteeredEstablished => "packets of connections that the proxy has",
        SteeringCounter.SteeredDatagram => "UDP datagrams given to a listener",
        SteeringCounter.Returned => "answers to connections that the proxy opened",
        SteeringCounter.Drained => "packets of connections that the proxy has, by a rule that is gone",
        SteeringCounter.FromProxy => "passed: sent by the proxy",
        SteeringCounter.AnswerPassed => "passed: answers on connections that began unsteered",
        SteeringCounter.OlderPassed => "passed: connections older than the rules (--older-connections keep)",
        SteeringCounter.OlderCut => "reset: connections older than the rules, or unknown",
        SteeringCounter.NoListener => "dropped: nobody listens at the proxy port; is the proxy up?",
        SteeringCounter.AssignFailed => "dropped: the kernel refused the listener's socket; is it in this network namespace, without SO_REUSEPORT?",
        SteeringCounter.FragmentDropped => "dropped: fragments between addresses that rules concern",
        SteeringCounter.FragmentPassed => "passed: other fragments",
        SteeringCounter.Truncated => "dropped: headers that are not whole",
        SteeringCounter.ExtensionsDropped => "dropped: too many IPv6 extension headers, between addresses that rules concern",
        SteeringCounter.VlanPassed => "passed: VLAN-tagged, judged at the VLAN's own device",
        SteeringCounter.OtherProtocol => "passed: neither TCP nor UDP, nor about what the proxy sent",
        SteeringCounter.NotIp => "passed: not IP, such as ARP",
        SteeringCounter.UnguardedDropped => "dropped: came in by a device without the program; the log says why it is missing there",
        SteeringCounter.TimeWaitEnded => "connections that waited for no earlier one of the same two ends: its remains were ended",
        SteeringCounter.ErrorReturned => "ICMP errors about what the proxy sent",
        _ => string.Empty,
    };
}

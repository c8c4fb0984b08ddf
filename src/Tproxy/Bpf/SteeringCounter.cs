namespace Postern.Tproxy.Bpf;

/// <summary>What the program counts, in packets. Numbers and meaning as in native/steering.h.</summary>
public enum SteeringCounter
{
    SteeredNew = 0,
    SteeredEstablished,
    SteeredDatagram,
    Returned,
    Drained,
    FromProxy,
    AnswerPassed,
    OlderPassed,
    OlderCut,
    NoListener,
    AssignFailed,
    FragmentDropped,
    FragmentPassed,
    Truncated,
    ExtensionsDropped,
    VlanPassed,
    OtherProtocol,
    NotIp,
    UnguardedDropped,
    TimeWaitEnded,
    ErrorReturned,
    SetMissing,
}

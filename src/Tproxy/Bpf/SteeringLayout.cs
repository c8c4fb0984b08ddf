namespace Postern.Tproxy.Bpf;

/// <summary>The numbers of native/steering.h; a test compares the two.</summary>
internal static class SteeringLayout
{
    internal const int Version = 2;

    internal const int StateSize = 8;
    internal const uint StateKeepOlder = 1;

    internal const int FilterBits = 65536;
    internal const int FilterSize = 16 + (FilterBits / 8);
    internal const uint FilterEverybody = 1;
    internal const uint FilterPrefixes4 = 2;
    internal const uint FilterPrefixes6 = 4;
    internal const uint FilterEverybodyDevice = 8;

    internal const int KeySize = 20;
    internal const byte KeyAddress = 1;
    internal const byte KeyRule = 2;

    /// <summary>Of a class and of a rule.</summary>
    internal const int ValueSize = 16;

    internal const uint RoleSource = 1;
    internal const uint RoleDestination = 2;
    internal const uint RolePairSource = 4;
    internal const uint RolePairDestination = 8;
    internal const uint RoleDevice = 16;

    internal const ushort RuleDraining = 1;

    internal const int Prefix4Size = 8;
    internal const int Prefix6Size = 20;

    internal const int FlowSize = 40;
    internal const int MemorySize = 8;
    internal const uint FlowSteered = 1;
    internal const uint FlowUnsteered = 2;
    internal const uint FlowClosing = 3;

    /// <summary>Elements of rules, prefixes4 and prefixes6: two halves, and one to write for waiting.</summary>
    internal const int Halves = 2;
    internal const int WaitingElement = 2;
}

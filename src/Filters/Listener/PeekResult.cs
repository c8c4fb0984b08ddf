namespace Postern.Filters.Listener;

/// <summary>What an inspector says about the first bytes of a connection.</summary>
public enum PeekResult
{
    /// <summary>Cannot tell yet.</summary>
    NeedMore,

    /// <summary>It is the protocol the inspector looks for.</summary>
    Match,

    /// <summary>It is something else.</summary>
    NoMatch,

    /// <summary>It claims to be the protocol but is malformed or over a bound: the connection must be refused.</summary>
    Malformed,
}

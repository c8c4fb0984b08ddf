namespace Postern.Policy.Config;

/// <summary><c>cilium.HeaderMatch</c>.</summary>
/// <param name="Name">At least one character.</param>
/// <param name="Value">Empty is a presence match.</param>
/// <param name="MatchAction">What a match does.</param>
/// <param name="MismatchAction">What a mismatch does.</param>
/// <param name="ValueSdsSecret">Name of the generic secret that holds the value, or empty.</param>
public sealed record HeaderMatchConfig(string Name, string Value, MatchAction MatchAction, MismatchAction MismatchAction, string ValueSdsSecret);

/// <summary><c>HeaderMatch.MatchAction</c>, wire numbers.</summary>
public enum MatchAction
{
    /// <summary>Keep going.</summary>
    ContinueOnMatch = 0,

    /// <summary>The rule fails.</summary>
    FailOnMatch = 1,

    /// <summary>Remove the header.</summary>
    DeleteOnMatch = 2,
}

/// <summary><c>HeaderMatch.MismatchAction</c>, wire numbers.</summary>
public enum MismatchAction
{
    /// <summary>The rule fails.</summary>
    FailOnMismatch = 0,

    /// <summary>Note it and keep going.</summary>
    ContinueOnMismatch = 1,

    /// <summary>Append the wanted value.</summary>
    AddOnMismatch = 2,

    /// <summary>Remove the header.</summary>
    DeleteOnMismatch = 3,

    /// <summary>Set the header to the wanted value.</summary>
    ReplaceOnMismatch = 4,
}

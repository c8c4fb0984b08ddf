namespace Postern.Xds;

/// <summary>What became of a configuration that was offered to a <see cref="ResourceStore{T}"/>.</summary>
/// <param name="Outcome">Published, unchanged or rejected.</param>
/// <param name="Error">One line, when rejected.</param>
public readonly record struct OfferResult(OfferOutcome Outcome, string? Error);

/// <summary>The outcomes.</summary>
public enum OfferOutcome
{
    /// <summary>In force now.</summary>
    Published,

    /// <summary>Equal to what is in force.</summary>
    Unchanged,

    /// <summary>Wrong; what was in force stays.</summary>
    Rejected,
}

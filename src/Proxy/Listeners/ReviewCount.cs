namespace Postern.Proxy.Listeners;

/// <summary>What one walk over the open connections came to.</summary>
/// <param name="Open">Connections that a verdict holds open.</param>
/// <param name="Judged">Those whose rules or identities had changed.</param>
/// <param name="Closed">Those of them that are no longer allowed.</param>
internal readonly record struct ReviewCount(int Open, int Judged, int Closed)
{
    /// <summary>With one more.</summary>
    public ReviewCount And(ReviewResult result) => new(
        Open + 1,
        Judged + (result == ReviewResult.Unchanged ? 0 : 1),
        Closed + (result == ReviewResult.Closed ? 1 : 0));
}

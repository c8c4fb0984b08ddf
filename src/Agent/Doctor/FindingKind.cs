namespace Postern.Agent.Doctor;

/// <summary>What findings of one id have in common.</summary>
/// <param name="Id">GROUP.WHAT.</param>
/// <param name="Level">Of each of them.</param>
/// <param name="Meaning">Of each of them.</param>
/// <param name="Mend">In general, with capitals where each finding has its own word; or null.</param>
public sealed record FindingKind(string Id, FindingLevel Level, string Meaning, string? Mend = null)
{
    /// <summary>A finding of this kind.</summary>
    /// <param name="subject">What was looked at.</param>
    /// <param name="value">What was seen.</param>
    /// <param name="mend">The general one with the words filled in, or null for the general one.</param>
    public Finding At(string subject, string value, string? mend = null) => new(Id, Level, subject, value, Meaning, mend ?? Mend);
}

namespace Postern.Agent.Doctor;

/// <summary>One line of the doctor's table.</summary>
/// <param name="Id">Stable; docs/doctor.md lists all.</param>
/// <param name="Level">How much it matters.</param>
/// <param name="Subject">What was looked at: a device, a sysctl, a port.</param>
/// <param name="Value">What was seen.</param>
/// <param name="Meaning">What that means for steered traffic.</param>
/// <param name="Mend">A command or an action, or null when there is nothing to mend.</param>
public sealed record Finding(string Id, FindingLevel Level, string Subject, string Value, string Meaning, string? Mend);

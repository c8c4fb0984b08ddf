namespace Postern.Agent.Doctor.Path;

/// <summary>One step of a packet's way.</summary>
/// <param name="Number">1 to 10; docs/doctor.md names them.</param>
/// <param name="Name">Short.</param>
/// <param name="State">What became of it.</param>
/// <param name="Text">What was seen.</param>
/// <param name="Mend">Only when astray.</param>
public sealed record PathStep(int Number, string Name, StepState State, string Text, string? Mend = null);

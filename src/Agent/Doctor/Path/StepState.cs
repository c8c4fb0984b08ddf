namespace Postern.Agent.Doctor.Path;

/// <summary>What became of a packet at one step.</summary>
public enum StepState
{
    /// <summary>It gets by.</summary>
    Ok,

    /// <summary>It does not: here it is lost, refused, or leaves the way past the proxy.</summary>
    Astray,

    /// <summary>Could not be looked at.</summary>
    Unseen,

    /// <summary>This packet does not come here.</summary>
    Skipped,
}

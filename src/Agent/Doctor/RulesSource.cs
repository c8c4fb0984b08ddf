namespace Postern.Agent.Doctor;

/// <summary>Who tells the steering rules in force.</summary>
public enum RulesSource
{
    /// <summary>Nobody: they are not known.</summary>
    Nobody,

    /// <summary>The running agent.</summary>
    Agent,

    /// <summary>The kernel, by the mangle table; that there are none, too.</summary>
    Listing,

    /// <summary>The file that who steers, or steered last, wrote beside the steering lock.</summary>
    File,
}

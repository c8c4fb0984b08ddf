namespace Postern.Agent.Doctor;

/// <summary>How much a finding matters; the order is that of the table.</summary>
public enum FindingLevel
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Worth knowing; nothing is wrong.</summary>
    Info,

    /// <summary>Something may go wrong, or does for some traffic.</summary>
    Warning,

    /// <summary>Steered traffic is lost, or passes unpoliced.</summary>
    Failure,
}

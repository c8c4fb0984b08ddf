namespace Postern.Agent.Cli;

/// <summary>How answers are printed.</summary>
public enum OutputFormat
{
    /// <summary>For people.</summary>
    Table,

    /// <summary>For programs: as the API gives it.</summary>
    Json,
}

namespace Postern.Proxy.Observe;

/// <summary>How <c>postern observe</c> prints.</summary>
public enum ObserveFormat
{
    /// <summary>A row per record.</summary>
    Table,

    /// <summary>The JSON lines as the proxy publishes them.</summary>
    Json,
}

/// <summary>Options of <c>postern observe</c>.</summary>
public sealed record ObserveOptions
{
    /// <summary>Where a proxy publishes unless told otherwise.</summary>
    public const string DefaultSocket = "/run/postern/observe.sock";

    /// <summary><c>--socket</c>.</summary>
    public string Socket { get; init; } = DefaultSocket;

    /// <summary><c>-o</c>.</summary>
    public ObserveFormat Format { get; init; } = ObserveFormat.Table;

    /// <summary><c>--last</c>: records shown from before now. The proxy holds a few hundred.</summary>
    public int Last { get; init; }

    /// <summary><c>--follow</c>: go on with live records.</summary>
    public bool Follow { get; init; } = true;

    /// <summary><c>--denied</c>: only records with verdict denied; <c>--last</c> counts these.</summary>
    public bool DeniedOnly { get; init; }

    /// <summary>Colour the verdict; for terminals only.</summary>
    public bool Colors { get; init; }
}

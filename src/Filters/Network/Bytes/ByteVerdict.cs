namespace Postern.Filters.Network.Bytes;

/// <summary>What a filter says after each call.</summary>
public readonly record struct ByteVerdict
{
    /// <summary>Go on.</summary>
    public static ByteVerdict GoOn => default;

    /// <summary>The connection ends.</summary>
    public bool Closes { get; private init; }

    /// <summary>What was written towards the client goes out first, then an orderly end; else both sides get a reset.</summary>
    public bool Flushes { get; private init; }

    /// <summary>For the record, in snake case.</summary>
    public string Reason { get; private init; }

    /// <summary>For people: the likely cause and the knob.</summary>
    public string Detail { get; private init; }

    /// <summary>The filter has written the record of the end itself.</summary>
    public bool IsTold { get; private init; }

    /// <summary>Ends the connection.</summary>
    public static ByteVerdict Close(string reason, string detail, bool flush = false, bool told = false) =>
        new() { Closes = true, Flushes = flush, Reason = reason, Detail = detail, IsTold = told };
}

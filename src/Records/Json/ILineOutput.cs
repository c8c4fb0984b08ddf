using System;

namespace Postern.Records.Json;

/// <summary>Takes finished JSON lines. Called on data-path threads: must not block, must not throw; when full it drops and counts.</summary>
public interface ILineOutput
{
    /// <summary>False when a line given now would be kept by nobody: the record need not even be serialised.</summary>
    bool IsListening { get; }

    /// <summary>Lines taken so far.</summary>
    long Written { get; }

    /// <summary>Lines lost so far.</summary>
    long Dropped { get; }

    /// <summary>Bytes taken so far.</summary>
    long Bytes { get; }

    /// <summary>Takes one line, newline included. The span is valid during the call only.</summary>
    void Write(ReadOnlySpan<byte> line);
}

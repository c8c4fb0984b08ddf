using System;

namespace Postern.Records;

/// <summary>A sink that cannot be set up as configured. Thrown at start-up only; the message names the path, the cause and the setting.</summary>
public sealed class RecordSinkException : Exception
{
    /// <summary>Creates it.</summary>
    public RecordSinkException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

using System;

namespace Postern.Proxy.LastGood;

/// <summary>A state file that is refused, or cannot be written. The message goes behind the file's name.</summary>
internal sealed class StateFileException : Exception
{
    public StateFileException(string message)
        : base(message)
    {
    }

    public StateFileException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

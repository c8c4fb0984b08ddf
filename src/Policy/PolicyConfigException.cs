using System;

namespace Postern.Policy;

/// <summary>A policy update that is refused as a whole. The message names resource, field and cause.</summary>
public sealed class PolicyConfigException : Exception
{
    /// <summary>Creates it.</summary>
    public PolicyConfigException(string message)
        : base(message)
    {
    }

    /// <summary>Creates it with the exception that caused it.</summary>
    public PolicyConfigException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Name of the resource, or empty when it is not one alone.</summary>
    public string Resource { get; init; } = "";

    /// <summary>The field within the resource, or empty.</summary>
    public string Path { get; init; } = "";
}

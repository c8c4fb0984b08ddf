using System;

namespace Postern.Policy;

/// <summary>A value that is refused, thrown where the resource is not known; the compiler turns it into a <see cref="PolicyConfigException"/> that names the field.</summary>
internal sealed class FieldException(string message) : Exception(message)
{
    /// <summary>Field path below the place that catches it, e.g. <c>headers[1]</c>.</summary>
    public string Path { get; init; } = "";
}

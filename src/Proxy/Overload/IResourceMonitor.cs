using System.Diagnostics.CodeAnalysis;

namespace Postern.Proxy.Overload;

/// <summary>Measures something that can run out.</summary>
internal interface IResourceMonitor
{
    /// <summary>How much of it is used: 0 to 1, more when it is overdrawn. Quick, no exceptions.</summary>
    /// <param name="pressure">Meaningless when this fails.</param>
    /// <param name="problem">Why it failed, for operators.</param>
    bool TryRead(out double pressure, [NotNullWhen(false)] out string? problem);
}

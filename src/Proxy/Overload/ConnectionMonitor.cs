using System.Diagnostics.CodeAnalysis;
using Postern.Proxy.Listeners;

namespace Postern.Proxy.Overload;

/// <summary><c>global_downstream_max_connections</c>: open connections of the bound, which <see cref="Admission"/> enforces by itself.</summary>
internal sealed class ConnectionMonitor(Admission admission) : IResourceMonitor
{
    public bool TryRead(out double pressure, [NotNullWhen(false)] out string? problem)
    {
        pressure = (double)admission.Open / admission.MaxConnections;
        problem = null;
        return true;
    }
}

using System.Net.Sockets;

namespace Postern.Records;

/// <summary>Socket paths as Cilium writes them: a leading "@" stands for the NUL of the abstract namespace.</summary>
internal static class UnixPath
{
    /// <summary>True for a name in the abstract namespace: no file belongs to it.</summary>
    public static bool IsAbstract(string path) => path.StartsWith('@') || path.StartsWith('\0');

    /// <summary>The end point.</summary>
    /// <exception cref="System.ArgumentException">Longer than the 108 bytes of sun_path, or empty.</exception>
    public static UnixDomainSocketEndPoint EndPointOf(string path) => new(path.StartsWith('@') ? string.Concat("\0", path[1..]) : path);
}

using System;
using System.IO;
using System.Net.Sockets;

namespace Postern.Agent.AccessLog;

/// <summary>The listening socket: AF_UNIX, SOCK_SEQPACKET, mode 0660.</summary>
internal static class AccessLogSocket
{
    private const int Backlog = 64;
    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Listens. A file left by an agent that is gone is removed first; disposing the socket removes its own.</summary>
    /// <exception cref="IOException">Somebody listens there, or the path is something else than a socket.</exception>
    public static Socket Listen(string path)
    {
        var isFile = !IsAbstract(path);
        if (isFile)
        {
            RemoveStale(path);
        }
        var socket = Create();
        try
        {
            socket.Bind(EndPointOf(path));
            if (isFile && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, OwnerAndGroup); // before listen(2): until then nobody can connect
            }
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"access log: cannot listen on {path}: {e.Message}; does its folder exist, and may this user write there?", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void RemoveStale(string path)
    {
        if (!Path.Exists(path))
        {
            return;
        }
        using var probe = Create();
        try
        {
            probe.Connect(EndPointOf(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path))
        {
            File.Delete(path);
            return;
        }
        catch (SocketException e)
        {
            throw new IOException($"access log: {path} is in the way ({e.Message}); remove it, or choose another path", e);
        }
        throw new IOException($"access log: somebody listens on {path} already; does another agent run?");
    }

    // A regular file refuses connections too, and is not ours to delete. The runtime tells no sockets from files: they are neither readable nor
    // have a length, and opening one fails with ENXIO.
    private static bool IsSocket(string path)
    {
        try
        {
            using var opened = File.OpenHandle(path);
            return false;
        }
        catch (IOException)
        {
            return !Directory.Exists(path);
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static Socket Create() => new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);

    private static bool IsAbstract(string path) => path.StartsWith('@');

    private static UnixDomainSocketEndPoint EndPointOf(string path) => new(IsAbstract(path) ? string.Concat("\0", path.AsSpan(1)) : path);
}

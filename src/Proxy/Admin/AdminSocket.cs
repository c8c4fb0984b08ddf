using System;
using System.IO;
using System.Net;
using System.Net.Sockets;

namespace Postern.Proxy.Admin;

/// <summary>The listening socket of the admin pages.</summary>
internal static class AdminSocket
{
    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>
    /// Binds. A Unix socket gets mode 0660 before anybody can connect. A socket file that a crash left behind is replaced; one with a listener
    /// behind it, or a file that is no socket, is left alone.
    /// </summary>
    /// <exception cref="IOException">Somebody listens there, or the path is no socket.</exception>
    /// <exception cref="SocketException">The kernel refuses.</exception>
    public static Socket Bind(EndPoint address)
    {
        var path = PathOf(address);
        if (path is not null && File.Exists(path))
        {
            RemoveStale(path, address);
        }
        var socket = path is null && address is IPEndPoint ip
            ? new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(address);
            if (path is not null && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, OwnerAndGroup); // until it listens, nobody can connect
            }
            return socket;
        }
        catch
        {
            socket.Dispose();
            if (path is not null && Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            {
                throw new IOException($"the folder {folder} does not exist; make it, or name another path");
            }
            throw;
        }
    }

    /// <summary>Removes the file of a socket that was closed.</summary>
    public static void RemoveFile(EndPoint address)
    {
        if (PathOf(address) is { } path && File.Exists(path))
        {
            File.Delete(path);
        }
    }

    /// <summary>For messages: <c>unix:PATH</c> or <c>IP:PORT</c>.</summary>
    public static string Describe(EndPoint address) => address is UnixDomainSocketEndPoint ? "unix:" + address : address.ToString() ?? "";

    private static void RemoveStale(string path, EndPoint address)
    {
        if (new FileInfo(path).Length != 0)
        {
            throw new IOException("the path is a file with content, not a socket");
        }
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(address);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new IOException("another user's socket is there; remove it if its owner is gone", e);
        }
        throw new IOException("another process listens there");
    }

    // Null for TCP and for names in the abstract namespace, which have no file.
    private static string? PathOf(EndPoint address) =>
        address is UnixDomainSocketEndPoint && address.ToString() is { } path && !path.StartsWith('@') && !path.StartsWith('\0') ? path : null;
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Postern.Grpc.Server;

/// <summary>Binds what a server listens on. A unix socket's file left by a process that died is removed; one in use is not.</summary>
internal sealed class ListenSockets(UnixFileMode mode)
{
    private readonly List<EndPoint> bound = [];

    public IReadOnlyList<EndPoint> Bound => bound;

    public Socket Create(EndPoint endPoint)
    {
        var path = endPoint is UnixDomainSocketEndPoint unix ? unix.ToString()! : null;
        // A name that begins with '@' or NUL is abstract: there is no file.
        var file = path is { Length: > 0 } && path[0] is not ('@' or '\0') ? path : null;
        if (file is not null)
        {
            RemoveStale(file, endPoint);
        }
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        try
        {
            if (file is not null && !OperatingSystem.IsWindows())
            {
                // Bound but not listening yet: nobody gets in before the mode is right.
                File.SetUnixFileMode(file, mode);
            }
            bound.Add(socket.LocalEndPoint!);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void RemoveStale(string file, EndPoint endPoint)
    {
        if (!Path.Exists(file))
        {
            return;
        }
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(file))
        {
            File.Delete(file);
            return;
        }
        catch (SocketException e)
        {
            throw new IOException($"cannot listen on {file}: it is there and is no socket that was left behind ({e.SocketErrorCode})", e);
        }
        throw new IOException($"cannot listen on {file}: another process listens there");
    }

    // A socket cannot be opened (ENXIO); a file can. For reading and writing, because then a named pipe does not wait for its other end.
    private static bool IsSocket(string file)
    {
        try
        {
            using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}

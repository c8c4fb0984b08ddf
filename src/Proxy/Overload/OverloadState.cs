using System;
using System.Threading;

namespace Postern.Proxy.Overload;

/// <summary>
/// What is shed now, for the data path: flags that are read per connection or request. One writer (<see cref="OverloadManager"/>), any number of readers.
/// What is in flight goes on: connections are shed first, then new requests.
/// </summary>
internal sealed class OverloadState
{
    /// <summary>Of a process without an overload manager.</summary>
    public static readonly OverloadState Never = new();

    private volatile bool stopAcceptingRequests;
    private volatile bool disableKeepAlive;
    private volatile bool stopAcceptingConnections;
    private volatile bool rejectConnections;
    private double scale;

    /// <summary>New requests get 503.</summary>
    public bool StopAcceptingRequests
    {
        get => stopAcceptingRequests;
        set => stopAcceptingRequests = value;
    }

    /// <summary>The next answer closes its connection (HTTP/2: GOAWAY).</summary>
    public bool DisableKeepAlive
    {
        get => disableKeepAlive;
        set => disableKeepAlive = value;
    }

    /// <summary>Connections wait in the kernel's queue.</summary>
    public bool StopAcceptingConnections
    {
        get => stopAcceptingConnections;
        set => stopAcceptingConnections = value;
    }

    /// <summary>New connections are reset.</summary>
    public bool RejectConnections
    {
        get => rejectConnections;
        set => rejectConnections = value;
    }

    /// <summary>How much timeouts are shortened: 0 not at all, 1 as far as configured.</summary>
    public double Scale
    {
        get => Volatile.Read(ref scale);
        set => Volatile.Write(ref scale, value);
    }
}

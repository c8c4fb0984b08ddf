using System;

namespace Postern.Proxy.Overload;

/// <summary>
/// What is shed now, for the data path, which asks per connection or request. One writer (<see cref="OverloadManager"/>), any number of readers.
/// What is in flight goes on. An action that is scaled up half way says yes half the time: ask once for each thing that may be shed.
/// </summary>
internal sealed class OverloadState
{
    /// <summary>Of a process that sheds nothing.</summary>
    public static readonly OverloadState Never = new();

    private volatile float requests;
    private volatile float keepAlive;
    private volatile float connections;
    private volatile bool stopped;
    private volatile TimeoutScale timeouts = TimeoutScale.None;

    /// <summary>This new request gets 503.</summary>
    public bool StopAcceptingRequests => Draw(requests);

    /// <summary>This answer closes its connection (HTTP/2: GOAWAY).</summary>
    public bool DisableKeepAlive => Draw(keepAlive);

    /// <summary>Connections wait in the kernel's queue.</summary>
    public bool StopAcceptingConnections => stopped;

    /// <summary>This new connection is reset.</summary>
    public bool RejectConnection => Draw(connections);

    /// <summary>How much shorter timeouts are.</summary>
    public TimeoutScale Timeouts => timeouts;

    /// <summary>Sets how much of everything is shed; each from 0, nothing, to 1, all.</summary>
    public void Set(double newRequests, double newKeepAlive, double newConnections, bool stopAccepting, TimeoutScale newTimeouts)
    {
        requests = (float)newRequests;
        keepAlive = (float)newKeepAlive;
        connections = (float)newConnections;
        stopped = stopAccepting;
        timeouts = newTimeouts;
    }

    private static bool Draw(float part) => part > 0 && (part >= 1 || Random.Shared.NextSingle() < part);
}

using System;
using System.Net;
using Postern.Filters;
using Postern.Proxy.Http2;
using Postern.Proxy.Listeners;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;

namespace Postern.Proxy.Http;

/// <summary>What a client's HTTP connection is made of, whatever version it turns out to speak.</summary>
/// <param name="Id">For log lines.</param>
/// <param name="Channel">Its bytes.</param>
/// <param name="First">Bytes that were read before; they come before the channel's.</param>
/// <param name="Listener">Compiled configuration.</param>
/// <param name="Metadata">Who talks to whom, or null.</param>
/// <param name="Source">Who is connected.</param>
/// <param name="Destination">Where it wanted to go.</param>
/// <param name="Connector">Opens upstream connections.</param>
/// <param name="Registry">Knows it while it is open.</param>
/// <param name="Verdict">What it is open by, or null.</param>
internal sealed record HttpConnectionParts(
    string Id,
    TransportChannel Channel,
    ReadOnlyMemory<byte> First,
    HttpListenerSnapshot Listener,
    ConnectionMetadata? Metadata,
    IPEndPoint Source,
    IPEndPoint Destination,
    IUpstreamConnector Connector,
    ConnectionRegistry Registry,
    OpenVerdict? Verdict)
{
    /// <summary>The request by which an HTTP/1.1 connection became this one of HTTP/2; null else.</summary>
    public Http2Upgrade? Upgrade { get; init; }
}

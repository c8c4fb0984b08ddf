using Postern.Filters.Network.Bytes;
using Postern.Records;

namespace Postern.Filters.Network.WebSocket;

/// <summary>Makes <see cref="WebSocketClientFilter"/> or <see cref="WebSocketServerFilter"/>.</summary>
/// <param name="options">Of all of them.</param>
/// <param name="server">Which.</param>
/// <param name="sink">Takes the records of handshakes.</param>
/// <param name="counters">Counts.</param>
public sealed class WebSocketFilters(WebSocketOptions options, bool server, IRecordSink sink, IWebSocketCounters counters) : IByteFilterFactory
{
    /// <inheritdoc/>
    public bool MovesDestination => server;

    /// <inheritdoc/>
    public IByteFilter Create(ByteFilterContext context) => server
        ? new WebSocketServerFilter(options, context, sink, counters)
        : new WebSocketClientFilter(options, context, sink, counters);
}

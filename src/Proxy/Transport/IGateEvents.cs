using System.Threading.Tasks;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Transport;

/// <summary>What the gate tells the connection it stands in front of.</summary>
internal interface IGateEvents
{
    /// <summary>Waiting for the next request: the idle timeout runs.</summary>
    void OnIdle();

    /// <summary>The first byte of a request came: the head timeout runs. May be said again for the same request.</summary>
    void OnMessageBegin();

    /// <summary>The stream is not acceptable HTTP/1; nothing more of it will be read.</summary>
    ValueTask OnRefusedAsync(Http1Error error);

    /// <summary>The stream ended, or a timeout ended it, within a head.</summary>
    ValueTask OnTruncatedAsync();

    /// <summary>The peer reset the connection.</summary>
    void OnPeerGone();
}

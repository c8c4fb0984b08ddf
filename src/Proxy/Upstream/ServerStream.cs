using System;
using System.Net;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Upstream;

/// <summary>
/// A request on its way to a server, and the answer, whatever protocol the server speaks. Sending and reading run in two flows, one each;
/// <see cref="Abort"/> may come from any thread. Errors are values: nothing here throws but for bugs.
/// </summary>
internal abstract class ServerStream : IBodySource
{
    /// <summary>Where it goes: an address and port, or a Unix socket.</summary>
    public abstract EndPoint EndPoint { get; }

    /// <summary>The latest head that was read.</summary>
    public abstract ResponseHead Head { get; }

    /// <inheritdoc/>
    public abstract HeaderBlock? Trailers { get; }

    /// <summary>The connection had served before: its death before any byte of an answer is most likely an idle close (HTTP/1), or the server said that it did not act on the request (HTTP/2).</summary>
    public abstract bool IsRetryable { get; }

    /// <summary>The request's head; the protocol frames what follows. It may stay in a buffer until bytes follow or <see cref="FlushAsync"/>; with <paramref name="end"/> it goes out.</summary>
    public abstract ValueTask<ProxyError> SendHeadAsync(RequestHead head, bool end);

    /// <summary>Body bytes; with <paramref name="end"/> the last ones (maybe none), and the trailers if there are any. A few may stay in a buffer until more follow, the end or <see cref="FlushAsync"/>. False: the server takes no more; its answer may be on the way all the same.</summary>
    public abstract ValueTask<bool> SendAsync(ReadOnlyMemory<byte> data, bool end, HeaderBlock? trailers);

    /// <summary>What was handed over goes out now.</summary>
    public abstract ValueTask<bool> FlushAsync();

    /// <summary>Reads one head into <see cref="Head"/>, interim ones too.</summary>
    public abstract ValueTask<ProxyError> ReadHeadAsync();

    /// <inheritdoc/>
    public abstract ValueTask<BodyRead> ReadAsync();

    /// <summary>The protocol changes behind the head that was read: bytes go both ways as they come.</summary>
    public abstract void BeginTunnel();

    /// <summary>Everything pending ends with this error, and the server must not take what it has for the whole.</summary>
    public abstract void Abort(ProxyError error);

    /// <summary>The exchange is over; call once, when no call is pending. The connection is kept if the message ended cleanly both ways, else it (or the stream) is cut.</summary>
    public abstract void Release();
}

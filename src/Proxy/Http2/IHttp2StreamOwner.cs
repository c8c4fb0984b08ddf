using Postern.Proxy.Errors;

namespace Postern.Proxy.Http2;

/// <summary>Whose stream it is: a client's request, or one on its way to a server.</summary>
internal interface IHttp2StreamOwner
{
    /// <summary>The peer, or a fault of it, ended the stream before its time. Nobody holds a lock.</summary>
    void OnReset(in ProxyError error);

    /// <summary>A head that was waited for is there, or an error.</summary>
    ProxyError TakeHead();
}

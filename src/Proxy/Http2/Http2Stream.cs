using System;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http2;

/// <summary>
/// A stream as both roles have it: its state (RFC 9113 §5.1), windows, what was received and not read, what waits to be sent. All of it is guarded by the session's
/// gate; <see cref="Http2Session"/> works on it. Used again for a later stream once nobody has it.
/// </summary>
internal sealed class Http2Stream
{
    public Http2Stream(Http2Session session, IHttp2StreamOwner owner)
    {
        Session = session;
        Owner = owner;
        Reader = new ReadWaiter(this);
        Sender = new SendWaiter();
        Notice = new EndNotice(this);
    }

    public Http2Session Session { get; }

    public IHttp2StreamOwner Owner { get; }

    /// <summary>0 before it is opened.</summary>
    public int Id { get; private set; }

    /// <summary>What we may send.</summary>
    public FlowWindow SendWindow;

    /// <summary>What the peer may send.</summary>
    public FlowWindow ReceiveWindow;

    /// <summary>Read since the last WINDOW_UPDATE.</summary>
    public int Consumed;

    /// <summary>Received and not read.</summary>
    public BodyQueue Body;

    /// <summary>We sent END_STREAM.</summary>
    public bool LocalEnded { get; set; }

    /// <summary>The peer sent END_STREAM.</summary>
    public bool RemoteEnded { get; set; }

    /// <summary>Reset, by whichever side: nothing is sent any more.</summary>
    public bool IsReset { get; set; }

    /// <summary>The reader wants no more: what comes is dropped.</summary>
    public bool IsDiscarding { get; set; }

    /// <summary>Our role is the client's, and the final head has not come: no body may.</summary>
    public bool AwaitsHead { get; set; }

    /// <summary>Why reading ends before the message does.</summary>
    public ProxyError Error { get; set; }

    /// <summary>The reset said that the peer did not act on the stream.</summary>
    public bool WasRefused { get; set; }

    /// <summary>The content-length of what is received; -1 where it does not count.</summary>
    public long Expected { get; set; }

    /// <summary>Body bytes received.</summary>
    public long Received { get; set; }

    /// <summary>Trailers of what is received, complete once <see cref="RemoteEnded"/>.</summary>
    public HeaderBlock? Trailers { get; set; }

    public ReadWaiter Reader { get; }

    public SendWaiter Sender { get; }

    public EndNotice Notice { get; }

    /// <summary>What <see cref="Sender"/> waits for: bytes, then the end, maybe with trailers.</summary>
    public ReadOnlyMemory<byte> Pending;
    public bool PendingEnd;
    public HeaderBlock? PendingTrailers;

    /// <summary>Somebody waits for <see cref="Pending"/> to be sent.</summary>
    public bool IsSending;

    /// <summary>It is in the queue of those that wait for the connection's window or buffer.</summary>
    public bool IsQueued;
    public Http2Stream? NextQueued;

    public bool IsOver => IsReset || (LocalEnded && RemoteEnded);

    /// <summary>Becomes the stream of that id.</summary>
    public void Open(int id, int sendWindow, int receiveWindow)
    {
        Id = id;
        SendWindow = new FlowWindow(sendWindow);
        ReceiveWindow = new FlowWindow(receiveWindow);
        Consumed = 0;
        LocalEnded = RemoteEnded = IsReset = IsDiscarding = WasRefused = false;
        Error = ProxyError.None;
        Expected = -1;
        Received = 0;
        Trailers = null;
        Pending = default;
        PendingEnd = false;
        PendingTrailers = null;
        IsSending = false;
    }
}

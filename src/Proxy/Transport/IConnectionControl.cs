namespace Postern.Proxy.Transport;

/// <summary>What the engine does to a connection's socket besides reading and writing; an in-memory transport has its own.</summary>
internal interface IConnectionControl
{
    /// <summary>Wakes a pending read with end of stream.</summary>
    void ShutdownReceive();

    /// <summary>Says FIN.</summary>
    void ShutdownSend();

    /// <summary>Closes with a reset: nothing that is queued matters any more.</summary>
    void Reset();

    /// <summary>The peer is gone (reset, or closed both ways) although nobody reads.</summary>
    bool PeerIsGone { get; }

    /// <summary>Something waits to be read, be it the end of the stream: for a kept connection that nobody reads, a reason not to use it again.</summary>
    bool HasInput { get; }
}

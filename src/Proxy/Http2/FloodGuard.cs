namespace Postern.Proxy.Http2;

/// <summary>
/// Counts what costs a peer little and us much; bounds as Envoy has them. Each returns the fault when its bound is passed.
/// </summary>
internal struct FloodGuard(Http2Options options)
{
    private const int WindowUpdatesAtStart = 5; // before any stream or DATA frame

    private int emptyFrames;
    private long priorityFrames;
    private long windowUpdates;
    private long streams;
    private long dataFramesSent;
    private long endedStreams;
    private long prematureResets;

    /// <summary>A stream was opened, by whichever side.</summary>
    public void OnStream() => streams++;

    /// <summary>We sent a DATA frame.</summary>
    public void OnDataSent() => dataFramesSent++;

    /// <summary>A stream is over.</summary>
    public void OnStreamEnd() => endedStreams++;

    /// <summary>A HEADERS, CONTINUATION or DATA frame came, with so many bytes beside padding.</summary>
    public Http2Fault? OnPayload(in FrameHeader frame, int bytes)
    {
        if (bytes > 0 || (frame.EndsStream && frame.Type != FrameType.Continuation))
        {
            emptyFrames = 0;
            return null;
        }
        return ++emptyFrames > options.MaxConsecutiveEmptyFrames ? Http2Fault.EmptyFrames : null;
    }

    public Http2Fault? OnPriority() => ++priorityFrames > options.MaxPriorityFramesPerStream * (1 + streams) ? Http2Fault.PriorityFrames : null;

    public Http2Fault? OnWindowUpdate() =>
        ++windowUpdates > WindowUpdatesAtStart + (2 * (streams + (options.MaxWindowUpdatesPerDataFrame * dataFramesSent))) ? Http2Fault.WindowUpdates : null;

    /// <summary>The peer reset a stream before it had its answer. A connection that has answered at least as many lives: its client is just nervous.</summary>
    public Http2Fault? OnPrematureReset() =>
        ++prematureResets > options.MaxPrematureResets && prematureResets * 2 >= endedStreams ? Http2Fault.PrematureResets : null;

    /// <summary>So many frames wait to be sent.</summary>
    public readonly Http2Fault? OnOutput(int frames, int controlFrames) =>
        controlFrames > options.MaxOutboundControlFrames ? Http2Fault.OutboundControlFrames : frames > options.MaxOutboundFrames ? Http2Fault.OutboundFrames : null;
}

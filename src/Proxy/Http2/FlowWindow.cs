namespace Postern.Proxy.Http2;

/// <summary>A flow-control window (RFC 9113 §6.9.1). A change of SETTINGS_INITIAL_WINDOW_SIZE may make it negative (§6.9.2).</summary>
internal struct FlowWindow(int size)
{
    /// <summary>Bytes that may be sent; nothing while it is not positive.</summary>
    public int Size { get; private set; } = size;

    /// <summary>Bytes were sent. The caller saw that they fit.</summary>
    public void Take(int bytes) => Size -= bytes;

    /// <summary>Opens or, by a setting, closes it by so much. False: it would be above 2^31-1.</summary>
    public bool TryGrow(int bytes)
    {
        var grown = (long)Size + bytes;
        if (grown is > int.MaxValue or < int.MinValue)
        {
            return false;
        }
        Size = (int)grown;
        return true;
    }
}

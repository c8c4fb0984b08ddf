namespace Postern.Tproxy.Steering;

/// <summary>TCP connections that were open, past the proxy, before a rule came to cover them.</summary>
public enum OlderConnections
{
    /// <summary>They are reset: nobody judged them.</summary>
    Cut = 0,

    /// <summary>They go on unjudged until they end. New ones are steered: a SYN is never taken for an older connection.</summary>
    Keep = 1,
}

using Postern.Policy;

namespace Postern.Filters.Http;

/// <summary>Per-connection and per-request state of <see cref="L7PolicyFilter"/>; owned by the connection's exchange, one request at a time.</summary>
public sealed class L7PolicyState
{
    internal PolicySnapshot? Policies { get; set; } // the snapshot Port was found in; another reference means: look again

    internal PortPolicy Port { get; set; } = PortPolicy.NoPolicy; // rules for this connection's pod, direction and port

    internal PolicyVerdict Network { get; set; } // the connection-level verdict under Policies

    internal PortPolicy DestinationPort { get; set; } = PortPolicy.NoPolicy; // the destination's rules; looked at only where DestinationJudges

    internal PolicyVerdict DestinationNetwork { get; set; }

    internal bool DestinationJudges { get; set; } // the destination has a policy under Policies, and nobody else applies it

    internal bool RequestLogged { get; set; } // a Request or Denied entry was emitted for the current request

    internal bool ResponseLogged { get; set; } // likewise for its Response
}

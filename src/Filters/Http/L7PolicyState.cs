using System.Net;
using Postern.Filters.Network;
using Postern.Policy;

namespace Postern.Filters.Http;

/// <summary>Per-connection and per-request state of <see cref="L7PolicyFilter"/>; owned by the connection's exchange, one request at a time.</summary>
public sealed class L7PolicyState
{
    internal PolicyState? State { get; set; } // what Port was found in; another reference means: look again, at the identities too

    internal PortPolicy Port { get; set; } = PortPolicy.NoPolicy; // rules for this connection's pod, direction and port

    internal PolicyVerdict Network { get; set; } // the connection-level verdict under State

    internal PortPolicy DestinationPort { get; set; } = PortPolicy.NoPolicy; // the destination's rules; looked at only where DestinationJudges

    internal PolicyVerdict DestinationNetwork { get; set; }

    internal bool DestinationJudges { get; set; } // the destination has a policy under State, and nobody else applies it

    internal PolicyState? Known { get; set; } // a load balancer's connection was resolved under this one

    internal IPEndPoint? Endpoint { get; set; } // a load balancer's: what the following five were found for, under State

    internal L7LbSide[] Sides { get; set; } = [];

    internal SidedVerdict Sided { get; set; } // the connection-level verdict of Sides

    internal string EndpointText { get; set; } = "";

    internal uint EndpointIdentity { get; set; }

    internal bool RequestLogged { get; set; } // a Request or Denied entry was emitted for the current request

    internal bool ResponseLogged { get; set; } // likewise for its Response, or it waits

    internal bool ResponseWaits { get; set; } // a gRPC call: for the trailers
}

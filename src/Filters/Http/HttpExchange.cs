using Postern.Policy;
using Postern.Records;

namespace Postern.Filters.Http;

/// <summary>
/// One request and its response as filters see them, whatever engine carries it. Owned by the connection and reused for its next request:
/// <see cref="Begin"/> resets it.
/// </summary>
public sealed class HttpExchange
{
    /// <summary>Creates the slot of one connection.</summary>
    public HttpExchange(ConnectionMetadata? connection, string listener)
    {
        Connection = connection;
        Record = new VisibilityRecord { Http = http, Listener = listener };
        if (connection is not null)
        {
            Record.Direction = connection.Direction;
            Record.PolicyName = connection.PodAddress;
            Record.ProxyId = connection.ProxyId;
            Record.SourceIdentity = connection.SourceIdentity;
            Record.DestinationIdentity = connection.DestinationIdentity;
            Record.SourceAddress = connection.Source.ToString();
            Record.DestinationAddress = destination = connection.Destination.ToString();
            Record.Sni = connection.Sni;
        }
        http.HeaderMatches = HeaderMatches;
    }

    private readonly HttpRecord http = new();
    private readonly string destination = "";

    /// <summary>Who talks to whom, by the identities in force at the latest verdict; null when no listener filter resolved it.</summary>
    public ConnectionMetadata? Connection { get; private set; }

    /// <summary>The request; header actions change it in place, and this is what goes upstream.</summary>
    public IHttpPolicyRequest Request { get; private set; } = null!;

    /// <summary>Response headers, once known.</summary>
    public IHttpHeaders? ResponseHeaders { get; private set; }

    /// <summary>Trailers of the response, once it is over; null where there are none.</summary>
    public IHttpHeaders? ResponseTrailers { get; set; }

    /// <summary>Why the response's body broke off; null when it did not.</summary>
    public string? BodyError { get; set; }

    /// <summary>Response status, 0 before.</summary>
    public int Status { get; private set; }

    /// <summary>Nanoseconds since the epoch when the request's head was complete.</summary>
    public ulong StartNanos { get; private set; }

    /// <summary>Nanoseconds since the epoch of the response headers.</summary>
    public ulong ResponseNanos { get; private set; }

    /// <summary>The proxy's own answer, if it made one.</summary>
    public LocalReply? Reply { get; set; }

    /// <summary>What header_matches noted.</summary>
    public HeaderMatchLog HeaderMatches { get; } = new();

    /// <summary>The record that every step writes into.</summary>
    public VisibilityRecord Record { get; }

    /// <summary>State slots of the Cilium policy filter: rules cached for this connection, and whether the request stands in the log.</summary>
    public L7PolicyState L7Policy { get; } = new();

    /// <summary>Starts a request.</summary>
    public void Begin(IHttpPolicyRequest request, HttpProtocol protocol, ulong nowNanos)
    {
        Request = request;
        ResponseHeaders = null;
        ResponseTrailers = null;
        BodyError = null;
        Status = 0;
        StartNanos = nowNanos;
        ResponseNanos = 0;
        Reply = null;
        HeaderMatches.Clear();
        L7Policy.RequestLogged = false;
        L7Policy.ResponseLogged = false;
        L7Policy.ResponseWaits = false;
        http.Protocol = protocol;
        http.Scheme = request.Scheme is "https" ? "https" : "http";
        http.Request = request;
        http.ResponseHeaders = null;
        http.ResponseTrailers = null;
        http.IsGrpc = false;
        http.GrpcStatus = null;
        http.Status = 0;
        Record.Reason = "";
        Record.Detail = "";
        Record.RuleName = "";
        Record.LatencyNanos = 0;
        Record.DestinationAddress = destination; // a load balancer's request may have named its endpoint
        Record.DestinationIdentity = Connection?.DestinationIdentity ?? 0;
    }

    /// <summary>This request and later ones, their records too, go by what <paramref name="state"/> says of the connection.</summary>
    public void UsePolicy(PolicyState state)
    {
        Connection = Connection?.Under(state);
        Record.SourceIdentity = Connection?.SourceIdentity ?? 0;
        Record.DestinationIdentity = Connection?.DestinationIdentity ?? 0;
    }

    /// <summary>Notes the response's head.</summary>
    public void SetResponse(int status, IHttpHeaders headers, ulong nowNanos)
    {
        Status = status;
        ResponseHeaders = headers;
        ResponseNanos = nowNanos;
    }
}

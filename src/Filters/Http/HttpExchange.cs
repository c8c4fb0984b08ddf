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
    /// <param name="connection">Who talks to whom, or null.</param>
    /// <param name="listener">For records.</param>
    /// <param name="scheme">Of its requests: "https" where the client's TLS ends in this proxy.</param>
    public HttpExchange(ConnectionMetadata? connection, string listener, string scheme = "http")
    {
        this.scheme = scheme;
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
            Record.DestinationAddress = connection.Destination.ToString();
            Record.Sni = connection.Sni;
        }
        http.HeaderMatches = HeaderMatches;
    }

    private readonly HttpRecord http = new();
    private readonly string scheme;

    /// <summary>Who talks to whom, by the identities in force at the latest verdict; null when no listener filter resolved it.</summary>
    public ConnectionMetadata? Connection { get; private set; }

    /// <summary>The request; header actions change it in place, and this is what goes upstream.</summary>
    public IHttpPolicyRequest Request { get; private set; } = null!;

    /// <summary>Response headers, once known.</summary>
    public IHttpHeaders? ResponseHeaders { get; private set; }

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
        Status = 0;
        StartNanos = nowNanos;
        ResponseNanos = 0;
        Reply = null;
        HeaderMatches.Clear();
        L7Policy.RequestLogged = false;
        L7Policy.ResponseLogged = false;
        http.Protocol = protocol;
        http.Scheme = scheme;
        http.Request = request;
        http.ResponseHeaders = null;
        http.Status = 0;
        Record.Reason = "";
        Record.Detail = "";
        Record.RuleName = "";
        Record.LatencyNanos = 0;
    }

    /// <summary>This request and later ones, their records too, go by the identities that <paramref name="hosts"/> gives.</summary>
    public void UseIdentities(IdentityMap hosts)
    {
        Connection = Connection?.Under(hosts);
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

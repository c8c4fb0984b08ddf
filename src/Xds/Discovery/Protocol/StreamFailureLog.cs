using System;
using Postern.Grpc;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// State of one stream, owned by its loop: which ends of a stream people should read of. What a restart of the control plane looks like
/// is said when it lasts; the same again is said once in that time.
/// </summary>
internal sealed class StreamFailureLog
{
    /// <summary>How long an outage lasts before it is a warning, and how far apart warnings are.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private DateTimeOffset? since;
    private DateTimeOffset? warned;
    private StatusCode lastCode;

    /// <summary>A stream ended. True: warn; false: a line for debugging.</summary>
    /// <param name="code">How.</param>
    /// <param name="hadResponse">It carried at least one response: such an end is no error by itself.</param>
    /// <param name="now">The time.</param>
    public bool IsWarning(StatusCode code, bool hadResponse, DateTimeOffset now)
    {
        since ??= now;
        var isUsual = hadResponse || code is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted;
        if (isUsual && now - since <= Patience)
        {
            return false;
        }
        if (warned is { } last && code == lastCode && now - last < Patience)
        {
            return false;
        }
        warned = now;
        lastCode = code;
        return true;
    }

    /// <summary>A response came. Returns how long the outage was if it was warned of, else null.</summary>
    public TimeSpan? OnResponse(DateTimeOffset now)
    {
        var outage = warned is null ? null : now - since;
        since = null;
        warned = null;
        return outage;
    }
}

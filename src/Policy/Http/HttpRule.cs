namespace Postern.Policy.Http;

/// <summary>A compiled <c>HttpNetworkPolicyRule</c>: all matchers must match, then all header matches run.</summary>
internal sealed class HttpRule(HeaderMatcher[] matchers, HeaderMatch[] headerMatches)
{
    public bool HasHeaderMatches => headerMatches.Length > 0;

    /// <summary>Notes the headers that hold secrets, also of a request that this rule does not match.</summary>
    public void MarkSecrets(HeaderMatchLog log)
    {
        foreach (var match in headerMatches)
        {
            if (match.SecretHeader is { } name)
            {
                log.AddSecretHeader(name);
            }
        }
    }

    public bool Accepts(IHttpPolicyRequest request, ISecretSource secrets, HeaderMatchLog log)
    {
        foreach (var matcher in matchers)
        {
            if (!matcher.Matches(request))
            {
                return false;
            }
        }
        var accepted = true;
        foreach (var match in headerMatches)
        {
            accepted &= match.Apply(request, secrets, log);
        }
        return accepted;
    }
}

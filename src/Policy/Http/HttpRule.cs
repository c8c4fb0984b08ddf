namespace Postern.Policy.Http;

/// <summary>A compiled <c>HttpNetworkPolicyRule</c>: all matchers must match, then all header matches run.</summary>
internal sealed class HttpRule(HeaderMatcher[] matchers, HeaderMatch[] headerMatches)
{
    public bool HasHeaderMatches => headerMatches.Length > 0;

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

using System.Text;
using Postern.Policy;
using Postern.Proxy.Http;
using Postern.Proxy.Http1;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary>Requests and routes from little text.</summary>
internal static class HeadOf
{
    /// <summary>Request line and header lines, without the empty line.</summary>
    public static IHttpPolicyRequest Request(params string[] lines)
    {
        var head = new RequestHead();
        var error = RequestParser.Parse(Encoding.Latin1.GetBytes(string.Join("\r\n", lines) + "\r\n\r\n"), head, 100);
        Assert.Equal(Http1Error.None, error);
        return head;
    }

    public static Route Route(RouteEntryConfig config) => new(config, static _ => null);
}

using System;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;

namespace Postern.Proxy.Http;

/// <summary>
/// The transformer that YARP's forwarder calls. The request needs none: <see cref="Upstream.RequestWriter"/> writes the head as it was parsed.
/// The response's lines are copied to Kestrel; strings of the previous response on this connection are reused when they are equal,
/// which most are.
/// </summary>
internal sealed class ResponseCopier(KestrelConnection connection) : HttpTransformer
{
    private static readonly Uri Placeholder = new("http://upstream/"); // the session knows the address; YARP wants some URI

    private string?[] names = new string[16];
    private string?[] values = new string[16];

    public override ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        proxyRequest.RequestUri = Placeholder;
        return default;
    }

    public override ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (connection.Upstream.ResponseHead is { } head)
        {
            var headers = httpContext.Response.Headers;
            if (head.Count > names.Length)
            {
                Array.Resize(ref names, head.Count);
                Array.Resize(ref values, head.Count);
            }
            for (var i = 0; i < head.Count; i++)
            {
                var name = Reuse(ref names[i], head.NameAt(i));
                // Framing belongs to the client's connection: Kestrel chunks where there is no length.
                if (!name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
                {
                    headers.Append(name, Reuse(ref values[i], head.ValueAt(i)));
                }
            }
        }
        OwnResponseHeaders.Add(connection, httpContext.Response.Headers);
        if (connection.IsDraining)
        {
            httpContext.Response.Headers.Connection = "close"; // the client need not find out by a FIN
        }
        return new ValueTask<bool>(true);
    }

    public override ValueTask TransformResponseTrailersAsync(HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken) => default;

    private static string Reuse(ref string? slot, ReadOnlySpan<char> text)
    {
        if (slot is null || !text.SequenceEqual(slot))
        {
            slot = text.ToString();
        }
        return slot;
    }
}

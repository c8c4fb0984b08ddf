using System;
using System.Globalization;
using Postern.Policy;

namespace Postern.Filters.Http;

/// <summary>What tells a gRPC call apart from other requests, and how it ended (the gRPC protocol over HTTP/2, "Requests", "Responses").</summary>
public static class GrpcCall
{
    /// <summary>Whether the content type, of a request or an answer, is one of gRPC.</summary>
    public static bool IsGrpc(IHttpHeaders headers)
    {
        for (var i = 0; i < headers.Count; i++)
        {
            if (headers.NameAt(i).Equals("content-type", StringComparison.OrdinalIgnoreCase))
            {
                var value = headers.ValueAt(i);
                return value.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) && (value.Length == 16 || value[16] is '+' or ';');
            }
        }
        return false;
    }

    /// <summary>The <c>grpc-status</c> of a head (an answer of trailers only) or of trailers; null when there is none, or no number.</summary>
    public static int? StatusIn(IHttpHeaders? headers)
    {
        for (var i = 0; i < (headers?.Count ?? 0); i++)
        {
            if (headers!.NameAt(i).Equals("grpc-status", StringComparison.OrdinalIgnoreCase))
            {
                return int.TryParse(headers.ValueAt(i), NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : null;
            }
        }
        return null;
    }
}

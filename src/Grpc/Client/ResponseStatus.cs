using System;
using System.Globalization;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using Postern.Grpc.Headers;

namespace Postern.Grpc.Client;

/// <summary>Reads the outcome of a call off an HTTP response.</summary>
internal static class ResponseStatus
{
    /// <summary>The status when the headers already decide the call: trailers-only, no HTTP 200, or no gRPC at all. Null: go on to the body.</summary>
    public static Status? OfHeaders(HttpResponseMessage response)
    {
        if (Of(response.Headers) is { } status)
        {
            return status;
        }
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return new Status(FromHttp(response.StatusCode), $"the peer answered HTTP {(int)response.StatusCode} without a grpc-status");
        }
        var type = response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var values) ? values.ToString() : "";
        return ContentTypes.IsGrpc(type) ? null : new Status(StatusCode.Unknown, $"the peer answered content-type '{type}', not {MetadataHeaders.ContentType}");
    }

    /// <summary>The status of the trailers.</summary>
    public static Status OfTrailers(HttpResponseMessage response) =>
        Of(response.TrailingHeaders) ?? new Status(StatusCode.Unknown, "the peer ended the call without a grpc-status");

    /// <summary>The metadata among the headers.</summary>
    public static Metadata Metadata(HttpHeaders headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values)
            {
                MetadataHeaders.AddReceived(metadata, name, value);
            }
        }
        return metadata;
    }

    public static string? Last(HttpHeaders headers, string name)
    {
        string? last = null;
        if (headers.NonValidated.TryGetValues(name, out var values))
        {
            foreach (var value in values)
            {
                last = value;
            }
        }
        return last;
    }

    private static Status? Of(HttpHeaders headers)
    {
        if (Last(headers, MetadataHeaders.Status) is not { } text)
        {
            return null;
        }
        var message = StatusMessage.Decode(Last(headers, MetadataHeaders.Message) ?? "");
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code))
        {
            return new Status(StatusCode.Unknown, $"the peer sent grpc-status '{text}': {message}");
        }
        return code <= (int)StatusCode.Unauthenticated
            ? new Status((StatusCode)code, message)
            : new Status(StatusCode.Unknown, $"the peer sent the unknown grpc-status {code}: {message}");
    }

    private static StatusCode FromHttp(HttpStatusCode code) => (int)code switch
    {
        400 => StatusCode.Internal,
        401 => StatusCode.Unauthenticated,
        403 => StatusCode.PermissionDenied,
        404 => StatusCode.Unimplemented,
        429 or 502 or 503 or 504 => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };
}

using System;
using System.Net.Http;
using System.Text;

namespace Postern.Grpc.Client;

/// <summary>What went wrong below gRPC, as a status.</summary>
internal static class TransportFailure
{
    /// <summary>By the HTTP/2 error code when there is one (the table of the gRPC specification), else UNAVAILABLE with the causes' text.</summary>
    public static Status ToStatus(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            // An unanswered PING has an error code too, that of this side (PROTOCOL_ERROR); only the knob named in its text tells it apart.
            if (cause is HttpProtocolException { ErrorCode: var code } && !cause.Message.Contains("KeepAlivePing", StringComparison.Ordinal))
            {
                return new Status(FromHttp2(code), $"HTTP/2 error {code}: {Text(exception)}");
            }
        }
        return new Status(StatusCode.Unavailable, Text(exception));
    }

    private static StatusCode FromHttp2(long code) => code switch
    {
        0x7 => StatusCode.Unavailable, // REFUSED_STREAM
        0x8 => StatusCode.Cancelled, // CANCEL
        0xb => StatusCode.ResourceExhausted, // ENHANCE_YOUR_CALM
        0xc => StatusCode.PermissionDenied, // INADEQUATE_SECURITY
        _ => StatusCode.Internal,
    };

    // "An error occurred while sending the request" alone helps nobody.
    private static string Text(Exception exception)
    {
        var text = new StringBuilder();
        var last = "";
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            var message = cause.Message.ReplaceLineEndings(" ");
            if (!last.Contains(message, StringComparison.Ordinal))
            {
                text.Append(text.Length == 0 ? "" : ": ").Append(message);
                last = message;
            }
        }
        return text.ToString();
    }
}

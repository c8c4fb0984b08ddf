using System;

namespace Postern.Filters.Http;

/// <summary>The body of a denied request as it goes on the wire.</summary>
public sealed class LocalReplyText
{
    private const string Default = "Access denied";

    /// <summary>Completes the configured text: a CRLF unless it ends with one.</summary>
    public LocalReplyText(string configured)
    {
        var text = configured.Length == 0 ? Default : configured;
        Body = text.EndsWith("\r\n", StringComparison.Ordinal) ? text : text + "\r\n";
    }

    /// <summary>Body text.</summary>
    public string Body { get; }
}

using System;
using System.Linq;
using System.Text;

namespace Postern.Tests.Proxy.Http1;

/// <summary>
/// A second opinion on request heads, written as plainly as can be and without a look at the parser: says why two parsers could read a head
/// differently, or null. It may know fewer reasons than the parser, never more.
/// </summary>
internal static class HeadJudge
{
    private const string Token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string? WhyAmbiguous(byte[] head)
    {
        var text = Encoding.Latin1.GetString(head);
        if (!text.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            return "no end";
        }
        var lines = text[..^4].Split("\r\n");
        if (lines.Any(line => line.Contains('\r', StringComparison.Ordinal) || line.Contains('\n', StringComparison.Ordinal)))
        {
            return "bare CR or LF";
        }
        var words = lines[0].Split(' ');
        if (words.Length != 3 || words.Any(word => word.Length == 0) || words[2] is not ("HTTP/1.1" or "HTTP/1.0"))
        {
            return "request line";
        }
        if (words[0].Any(c => !Token.Contains(c, StringComparison.Ordinal)) || words[1].Any(c => c <= ' ' || c >= 127 || c == '#'))
        {
            return "method or target";
        }
        int hosts = 0, lengths = 0, codings = 0;
        foreach (var line in lines[1..])
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line[..colon].Any(c => !Token.Contains(c, StringComparison.Ordinal)))
            {
                return "field name";
            }
            var value = line[(colon + 1)..];
            if (value.Any(c => (c < ' ' && c != '\t') || c == 127))
            {
                return "field value";
            }
            value = value.Trim(' ', '\t');
            switch (line[..colon].ToLowerInvariant())
            {
                case "host":
                    hosts++;
                    break;
                case "content-length":
                    lengths++;
                    if (value.Length == 0 || value.Length > 18 || value.Any(c => c is < '0' or > '9'))
                    {
                        return "length";
                    }
                    break;
                case "transfer-encoding":
                    codings++;
                    if (!value.Equals("chunked", StringComparison.OrdinalIgnoreCase))
                    {
                        return "coding";
                    }
                    break;
            }
        }
        var http10 = words[2] == "HTTP/1.0";
        return hosts > 1 || (hosts == 0 && !http10) ? "host"
            : lengths > 1 || codings > 1 || lengths + codings > 1 ? "framing"
            : codings > 0 && http10 ? "coding in 1.0"
            : null;
    }
}

using System;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Http1;

/// <summary>Writes a response head: the lines in their order and case; what frames the body on this connection is put in their place.</summary>
internal static class ResponseWriter
{
    /// <summary>Appends the head of a final answer.</summary>
    /// <param name="head">Without hop-by-hop fields.</param>
    /// <param name="framing">How the body will be framed here.</param>
    /// <param name="connection">Value of <c>Connection</c>, or empty for no such line.</param>
    /// <param name="output">Where to.</param>
    public static void Write(ResponseHead head, AnswerFraming framing, string connection, SendBuffer output)
    {
        WriteStatusLine(head, output);
        var tellsFraming = false;
        for (var i = 0; i < head.Count; i++)
        {
            var name = head.NameAt(i);
            if (name.Length == 17 && name.Equals("transfer-encoding", StringComparison.OrdinalIgnoreCase))
            {
                if (framing is not (AnswerFraming.Chunked or AnswerFraming.None))
                {
                    continue;
                }
                tellsFraming = true;
            }
            else if (name.Length == 14 && name.Equals("content-length", StringComparison.OrdinalIgnoreCase))
            {
                if (framing == AnswerFraming.Tunnel)
                {
                    continue;
                }
                tellsFraming = true;
            }
            WriteLine(name, head.ValueAt(i), output);
        }
        if (!tellsFraming && framing == AnswerFraming.Chunked)
        {
            output.Append("Transfer-Encoding: chunked\r\n"u8);
        }
        else if (!tellsFraming && framing == AnswerFraming.Empty)
        {
            output.Append("Content-Length: 0\r\n"u8);
        }
        if (connection.Length > 0)
        {
            WriteLine("Connection", connection, output);
        }
        output.Append("\r\n"u8);
    }

    /// <summary>Appends an interim response.</summary>
    public static void WriteInterim(ResponseHead head, SendBuffer output)
    {
        WriteStatusLine(head, output);
        WriteLines(head, output);
        output.Append("\r\n"u8);
    }

    /// <summary>Appends field lines as they are.</summary>
    public static void WriteLines(HeaderBlock lines, SendBuffer output)
    {
        for (var i = 0; i < lines.Count; i++)
        {
            WriteLine(lines.NameAt(i), lines.ValueAt(i), output);
        }
    }

    private static void WriteStatusLine(ResponseHead head, SendBuffer output)
    {
        output.Append("HTTP/1.1 "u8);
        var room = output.Reserve(3);
        head.Status.TryFormat(room, out var digits, provider: CultureInfo.InvariantCulture);
        output.Advance(digits);
        output.Append(" "u8);
        output.Append(head.HasOwnReason ? head.Reason : ReasonPhrases.GetReasonPhrase(head.Status));
        output.Append("\r\n"u8);
    }

    /// <summary>Appends one field line.</summary>
    public static void WriteLine(ReadOnlySpan<char> name, ReadOnlySpan<char> value, SendBuffer output)
    {
        var room = output.Reserve(name.Length + value.Length + 4);
        var at = Encoding.Latin1.GetBytes(name, room);
        room[at++] = (byte)':';
        room[at++] = (byte)' ';
        at += Encoding.Latin1.GetBytes(value, room[at..]);
        room[at++] = (byte)'\r';
        room[at++] = (byte)'\n';
        output.Advance(at);
    }
}

/// <summary>How the body of an answer is framed towards a client of HTTP/1 (RFC 9112 §6.3).</summary>
internal enum AnswerFraming
{
    /// <summary>The answer never has one: to HEAD, 204, 304.</summary>
    None,

    /// <summary>It has none.</summary>
    Empty,

    /// <summary>By Content-Length.</summary>
    Length,

    /// <summary>In chunks.</summary>
    Chunked,

    /// <summary>Until the connection ends.</summary>
    UntilClose,

    /// <summary>No message any more: the protocol changes.</summary>
    Tunnel,
}

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net;
using System.Text;
using Postern.Proxy.Http;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Dialogues;

/// <summary>
/// A dialogue file: what one behaviour looks like on the wire. Line by line:
/// <code>
/// # comment; the first ones say what is shown and why
/// set NAME VALUE         listener option: policy, denied-body, idle-timeout, stream-idle-timeout, upstream-idle-timeout, route-timeout, request-headers-timeout (seconds),
///                        max-head, max-headers, codec (Auto, Http1, Http2), request-id, keep-foreign-id, answer-id, normalize-path, merge-slashes, escaped-slashes ACTION,
///                        strip-port MODE, strip-dot, server ACTION, underscores ACTION, remote-address [skip-append], trusted-hops N, internal CIDR, via TEXT, upgrades PROTOCOLS, route-prefix, route-rewrite,
///                        no-cluster, upstream PROTOCOL, extended-connect, upgrade NAME, max-requests N, max-stream-duration SECONDS, whole-only (not run with one-byte deliveries)
/// C> TEXT                the client sends a line        U&lt; TEXT   the upstream must receive a line
/// U> TEXT                the upstream sends a line      C&lt; TEXT   the client must receive a line
/// c> FRAME, c&lt; FRAME, u> FRAME, u&lt; FRAME   the same by frames of HTTP/2, see <see cref="FrameEnd"/>; <c>hello</c> in the place of a frame is the preface with SETTINGS
/// do ACTION              client-fin, client-reset, upstream-close, upstream-fin, upstream-reset, next-upstream, clock SECONDS, policy NAME,
///                        upstream-fails CODE, upstream-holds (no connection is made before upstream-fails), upstream-stops, drain, shed (new requests get 503), identity N (the client's; 5 before), review (open connections are judged again)
/// expect STATE           client-closed, client-cut, upstream-closed, upstream-untouched, connects N, open
/// record TYPE KEY=VALUE  the records, in order; none may be missing or left over. A VALUE with spaces stands in quotes.
/// </code>
/// Lines that follow one another in one direction are one message. CRLF ends each unless the text ends in <c>\c</c>.
/// <c>\r \n \0 \t \s \\ \xNN</c> are bytes, <c>\{A*1000}</c> is a repetition. In expected text <c>{*}</c> stands for anything but CR and LF.
/// </summary>
internal sealed class Dialogue
{
    public required string Name { get; init; }

    public required HttpTestOptions Options { get; init; }

    public required bool WholeOnly { get; init; }

    public required IReadOnlyList<Step> Steps { get; init; }

    public required IReadOnlyList<ExpectedRecord> Records { get; init; }

    /// <summary>One step.</summary>
    /// <param name="Verb">C>, C&lt;, U>, U&lt;, do or expect.</param>
    /// <param name="Text">Bytes as Latin-1 text, or the rest of the line.</param>
    /// <param name="Line">Line number, for messages.</param>
    internal sealed record Step(string Verb, string Text, int Line);

    /// <summary>A record that must come.</summary>
    internal sealed record ExpectedRecord(string Type, IReadOnlyDictionary<string, string> Fields, int Line);

    public static Dialogue Read(string file)
    {
        var options = new HttpTestOptions();
        var wholeOnly = false;
        var steps = new List<Step>();
        var records = new List<ExpectedRecord>();
        var number = 0;
        foreach (var raw in File.ReadAllLines(file, Encoding.UTF8))
        {
            number++;
            if (raw.Length == 0 || raw[0] == '#')
            {
                continue;
            }
            var space = raw.IndexOf(' ', StringComparison.Ordinal);
            var verb = space < 0 ? raw : raw[..space];
            var rest = space < 0 ? "" : raw[(space + 1)..];
            switch (verb)
            {
                case "C>" or "C<" or "U>" or "U<":
                    var text = Bytes(rest);
                    if (steps.Count > 0 && steps[^1].Verb == verb)
                    {
                        steps[^1] = steps[^1] with { Text = steps[^1].Text + text };
                    }
                    else
                    {
                        steps.Add(new Step(verb, text, number));
                    }
                    break;
                case "do" or "expect" or "c>" or "c<" or "u>" or "u<":
                    steps.Add(new Step(verb, rest, number));
                    break;
                case "record":
                    records.Add(Record(rest, number));
                    break;
                case "set" when rest == "whole-only":
                    wholeOnly = true;
                    break;
                case "set":
                    options = Set(options, rest);
                    break;
                default:
                    throw new FormatException($"{file}:{number}: unknown verb {verb}");
            }
        }
        return new Dialogue { Name = Path.GetFileNameWithoutExtension(file), Options = options, WholeOnly = wholeOnly, Steps = steps, Records = records };
    }

    private static HttpTestOptions Set(HttpTestOptions options, string rest)
    {
        var space = rest.IndexOf(' ', StringComparison.Ordinal);
        var name = space < 0 ? rest : rest[..space];
        var value = space < 0 ? "" : rest[(space + 1)..];
        return name switch
        {
            "policy" => options with { Policy = value },
            "denied-body" => options with { DeniedBody = value },
            "idle-timeout" => options with { IdleTimeout = Seconds(value) },
            "stream-idle-timeout" => options with { StreamIdleTimeout = Seconds(value) },
            "upstream-idle-timeout" => options with { UpstreamIdleTimeout = Seconds(value) },
            "route-timeout" => options with { RouteTimeout = Seconds(value) },
            "request-headers-timeout" => options with { RequestHeadersTimeout = Seconds(value) },
            "max-head" => options with { MaxHeadBytes = int.Parse(value, CultureInfo.InvariantCulture) },
            "codec" => options with { Codec = Enum.Parse<CodecType>(value) },
            "max-headers" => options with { MaxHeaders = int.Parse(value, CultureInfo.InvariantCulture) },
            "request-id" => options with { RequestIds = options.RequestIds with { Generates = true } },
            "keep-foreign-id" => options with { RequestIds = options.RequestIds with { KeepsForeign = true } },
            "answer-id" => options with { RequestIds = options.RequestIds with { Answers = true } },
            "normalize-path" => options with { Paths = options.Paths with { Dots = true } },
            "merge-slashes" => options with { Paths = options.Paths with { Slashes = true } },
            "escaped-slashes" => options with { Paths = options.Paths with { EscapedSlashes = Enum.Parse<EscapedSlashesAction>(value) } },
            "strip-port" => options with { Hosts = options.Hosts with { Ports = Enum.Parse<HostPortStripping>(value) } },
            "strip-dot" => options with { Hosts = options.Hosts with { Dots = true } },
            "server" => options with { Server = new ServerHeader(Enum.Parse<ServerHeaderAction>(value), "postern") },
            "underscores" => options with { Underscores = Enum.Parse<UnderscoresAction>(value) },
            "remote-address" => options with { Forwarded = options.Forwarded with { UsesRemoteAddress = true, Appends = value != "skip-append" } },
            "trusted-hops" => options with { Forwarded = options.Forwarded with { TrustedHops = int.Parse(value, CultureInfo.InvariantCulture) } },
            "internal" => options with { Forwarded = options.Forwarded with { Internal = [IPNetwork.Parse(value)] } },
            "upgrades" => options with { Upgrades = value.Split(' ') },
            "via" => options with { Via = value },
            "route-prefix" => options with { RoutePrefix = value },
            "route-rewrite" => options with { RouteRewrite = value },
            "upstream" => options with { UpstreamProtocol = Enum.Parse<ClusterHttpProtocol>(value) },
            "extended-connect" => options with { Http2 = options.Http2 with { AllowConnect = true } },
            "upgrade" => options with { Upgrades = [.. options.Upgrades, value] },
            "max-requests" => options with { MaxRequests = int.Parse(value, CultureInfo.InvariantCulture) },
            "max-stream-duration" => options with { MaxStreamDuration = Seconds(value) },
            "no-cluster" => options with { HasCluster = false },
            _ => throw new FormatException($"unknown option {name}"),
        };
    }

    internal static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture));

    private static ExpectedRecord Record(string rest, int line)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        var at = rest.IndexOf(' ', StringComparison.Ordinal);
        var type = at < 0 ? rest : rest[..at];
        while (at >= 0 && at < rest.Length)
        {
            var equals = rest.IndexOf('=', at);
            var key = rest[(at + 1)..equals];
            var quoted = equals + 1 < rest.Length && rest[equals + 1] == '"';
            var end = quoted ? rest.IndexOf('"', equals + 2) : rest.IndexOf(' ', equals);
            end = end < 0 ? rest.Length : end;
            fields[key] = quoted ? rest[(equals + 2)..end] : rest[(equals + 1)..end];
            at = quoted ? end + 1 : end;
        }
        return new ExpectedRecord(type, fields, line);
    }

    private static string Bytes(string text)
    {
        var bytes = new StringBuilder();
        var newline = true;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                bytes.Append(text[i]);
                continue;
            }
            i++;
            switch (text[i])
            {
                case 'r': bytes.Append('\r'); break;
                case 'n': bytes.Append('\n'); break;
                case 't': bytes.Append('\t'); break;
                case 's': bytes.Append(' '); break;
                case '0': bytes.Append('\0'); break;
                case '\\': bytes.Append('\\'); break;
                case 'c': newline = false; break;
                case 'x':
                    bytes.Append((char)Convert.ToByte(text.Substring(i + 1, 2), 16));
                    i += 2;
                    break;
                case '{':
                    var close = text.IndexOf('}', i);
                    var star = text.LastIndexOf('*', close);
                    bytes.Insert(bytes.Length, text[(i + 1)..star], int.Parse(text[(star + 1)..close], CultureInfo.InvariantCulture));
                    i = close;
                    break;
                default:
                    throw new FormatException($"unknown escape \\{text[i]}");
            }
        }
        return newline ? bytes.Append("\r\n").ToString() : bytes.ToString();
    }
}

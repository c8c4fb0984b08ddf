using System;
using System.Text;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http2;

internal sealed partial class HeadReader
{
    private const int MaxProtocol = 64; // characters

    private readonly CookieCrumbs cookies = new();
    private string protocol = "";

    private void BeginRequest()
    {
        cookies.Clear();
        protocol = "";
        sawHost = false;
    }

    private Http2HeadError TakeRequestPseudo(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed)
    {
        var pseudo = PseudoOf(name);
        if (pseudo == 0)
        {
            return Http2HeadError.UnknownPseudo;
        }
        if (Mark(pseudo) is var fault and not Http2HeadError.None)
        {
            return fault;
        }
        switch (pseudo)
        {
            case Pseudo.Method:
                request!.SetMethod(value);
                return value.Length <= RequestParser.MaxMethod && Grammar.IsToken(value) ? Http2HeadError.None : Http2HeadError.InvalidMethod;
            case Pseudo.Scheme:
                var secure = value.SequenceEqual("https"u8);
                request!.SchemeName = secure ? "https" : "http";
                return secure || value.SequenceEqual("http"u8) ? Http2HeadError.None : Http2HeadError.InvalidScheme;
            case Pseudo.Path:
                request!.SetHttp2Path(value);
                request.IsPathNeverIndexed = neverIndexed;
                // "*" waits for the method.
                return Grammar.IsTarget(value) && (value.StartsWith("/"u8) || value.SequenceEqual("*"u8)) ? Http2HeadError.None : Http2HeadError.InvalidPath;
            case Pseudo.Authority:
                request!.SetHttp2Authority(value);
                return HostSyntax.IsHost(value) ? Http2HeadError.None : Http2HeadError.InvalidAuthority;
            default:
                return TakeProtocol(value);
        }
    }

    private Pseudo PseudoOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        5 when name.SequenceEqual(":path"u8) => Pseudo.Path,
        7 when name.SequenceEqual(":method"u8) => Pseudo.Method,
        7 when name.SequenceEqual(":scheme"u8) => Pseudo.Scheme,
        9 when name.SequenceEqual(":protocol"u8) && limits.AllowExtendedConnect => Pseudo.Protocol,
        10 when name.SequenceEqual(":authority"u8) => Pseudo.Authority,
        _ => 0,
    };

    private Http2HeadError TakeProtocol(ReadOnlySpan<byte> value)
    {
        if (value.Length > MaxProtocol || !Grammar.IsToken(value))
        {
            return Http2HeadError.InvalidProtocol;
        }
        // Whoever upgrades asks for this one; another costs a string.
        protocol = Ascii.EqualsIgnoreCase(value, "websocket"u8) ? "websocket" : Encoding.ASCII.GetString(value).ToLowerInvariant();
        return Http2HeadError.None;
    }

    private Http2HeadError TakeRequestField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed)
    {
        if (name.Length > RequestParser.MaxHeaderName)
        {
            return Http2HeadError.InvalidName;
        }
        switch (name.Length)
        {
            case 2 when name.SequenceEqual("te"u8) && !Ascii.EqualsIgnoreCase(value, "trailers"u8):
                return Http2HeadError.InvalidTe; // RFC 9113 §8.2.2
            case 4 when name.SequenceEqual("host"u8):
                return TakeHost(value);
            case 6 when name.SequenceEqual("cookie"u8):
                cookies.Take(lines, value, neverIndexed);
                return Http2HeadError.None;
            case 14 when name.SequenceEqual("content-length"u8) && TakeContentLength(value) is var fault and not Http2HeadError.None:
                return fault;
        }
        lines.AppendField(name, value, neverIndexed);
        return Http2HeadError.None;
    }

    // Host is not kept as a line: the authority says it, to policy and to the upstream (RFC 9113 §8.3.1).
    private Http2HeadError TakeHost(ReadOnlySpan<byte> value)
    {
        if (sawHost)
        {
            return Http2HeadError.DuplicateHost;
        }
        sawHost = true;
        if (!HostSyntax.IsHost(value))
        {
            return Http2HeadError.InvalidAuthority;
        }
        if ((seen & Pseudo.Authority) == 0)
        {
            request!.SetHttp2Authority(value);
            return Http2HeadError.None;
        }
        return Ascii.EqualsIgnoreCase(value, request!.Authority) ? Http2HeadError.None : Http2HeadError.HostMismatch;
    }

    private Http2HeadError FinishRequest(RequestHead head, bool endStream)
    {
        cookies.Finish(head);
        if ((seen & Pseudo.Method) == 0)
        {
            return Http2HeadError.MissingPseudo;
        }
        if (head.IsConnect)
        {
            return (seen & Pseudo.Protocol) != 0 ? FinishExtendedConnect(head) : FinishConnect(head);
        }
        if ((seen & Pseudo.Protocol) != 0)
        {
            return Http2HeadError.InvalidProtocol; // RFC 8441 §4: only of CONNECT
        }
        if (!SawTarget)
        {
            return Http2HeadError.MissingPseudo;
        }
        if (head.Path is "*" && head.Method is not "OPTIONS")
        {
            return Http2HeadError.InvalidPath;
        }
        if (head.Authority.IsEmpty)
        {
            return Http2HeadError.MissingAuthority;
        }
        if (endStream && contentLength > 0)
        {
            return Http2HeadError.InvalidContentLength; // RFC 9113 §8.1.1
        }
        head.ContentLength = contentLength;
        head.IsStreamed = !endStream && contentLength < 0;
        return Http2HeadError.None;
    }

    private bool SawTarget => (seen & (Pseudo.Scheme | Pseudo.Path)) == (Pseudo.Scheme | Pseudo.Path);

    // RFC 9113 §8.5. What follows is the tunnel, no content.
    private Http2HeadError FinishConnect(RequestHead head)
    {
        if ((seen & (Pseudo.Scheme | Pseudo.Path)) != 0)
        {
            return Http2HeadError.UnexpectedPseudo;
        }
        if ((seen & Pseudo.Authority) == 0)
        {
            return Http2HeadError.MissingPseudo;
        }
        if (contentLength >= 0)
        {
            return Http2HeadError.InvalidContentLength;
        }
        head.SetTargetToAuthority();
        return HostSyntax.HasPort(head.Authority) ? Http2HeadError.None : Http2HeadError.InvalidAuthority;
    }

    // RFC 8441 §4: GET with Upgrade, as HTTP/1 says it.
    private Http2HeadError FinishExtendedConnect(RequestHead head)
    {
        if (!SawTarget)
        {
            return Http2HeadError.MissingPseudo;
        }
        if (head.Path is "*")
        {
            return Http2HeadError.InvalidPath;
        }
        if (head.Authority.IsEmpty)
        {
            return Http2HeadError.MissingAuthority;
        }
        if (contentLength >= 0)
        {
            return Http2HeadError.InvalidContentLength;
        }
        head.SetMethod("GET"u8);
        head.IsExtendedConnect = true;
        head.WantsUpgrade = true;
        head.UpgradeProtocol = protocol;
        return Http2HeadError.None;
    }
}

using System;
using Postern.Policy;
using Postern.Records;

namespace Postern.Proxy.Http1;

/// <summary>
/// A strictly parsed request head (RFC 9112). What policy matches, what records show and what goes upstream are these same characters.
/// Hop-by-hop fields, and those that <c>Connection</c> nominates, are taken out when it is parsed: policy never judges a field that the
/// upstream would not see.
/// </summary>
internal sealed class RequestHead : HeaderBlock, IHttpPolicyRequest
{
    private const string SchemePrefix = "http://";

    private int methodStart;
    private int methodLength;
    private int targetStart;
    private int targetLength;
    private int pathStart;
    private int pathLength;

    public ReadOnlySpan<char> Method => TextAt(methodStart, methodLength);

    /// <summary>Request target as sent, but for what <see cref="SetPath"/> changed; goes upstream as it is.</summary>
    public ReadOnlySpan<char> Target => TextAt(targetStart, targetLength);

    /// <summary>What goes upstream in place of <see cref="Target"/> (a route's <c>prefix_rewrite</c>), or null.</summary>
    public string? UpstreamTarget { get; set; }

    /// <summary>What stands before the path in an absolute-form target; empty otherwise.</summary>
    public ReadOnlySpan<char> TargetOrigin => pathLength == 0 ? Target : TextAt(targetStart, pathStart - targetStart);

    /// <summary>The target's path and query.</summary>
    public ReadOnlySpan<char> Path => pathLength == 0 ? "/" : TextAt(pathStart, pathLength);

    public ReadOnlySpan<char> Authority => TextAt(AuthorityStart, AuthorityLength);

    public ReadOnlySpan<char> Scheme => SchemeName;

    /// <summary><c>http</c> or <c>https</c>: how the client speaks to this proxy, or what <c>:scheme</c> said.</summary>
    public string SchemeName { get; set; } = "http";

    public HttpProtocol Version { get; set; }

    /// <summary>-1 when the message has no Content-Length.</summary>
    public long ContentLength { get; set; }

    public bool IsChunked { get; set; }

    /// <summary>The client asks for another protocol behind this request, other than h2c, which may be ignored (RFC 9110 §7.8).</summary>
    public bool WantsUpgrade { get; set; }

    public bool IsConnect => Method.SequenceEqual("CONNECT");

    /// <summary>A body follows whose length nobody told (HTTP/2 without Content-Length).</summary>
    public bool IsStreamed { get; set; }

    /// <summary>The protocol that an extended CONNECT (RFC 8441) asks for, or an upgrade; empty where none is asked for. Lower case.</summary>
    public string UpgradeProtocol { get; set; } = "";

    /// <summary>This is the connection's last request: the client says so, or it speaks HTTP/1.0 and did not ask to go on (RFC 9112 §9.3).</summary>
    public bool AsksClose { get; set; }

    /// <summary>The client waits for a 100 before it sends its body.</summary>
    public bool ExpectsContinue => HasBody && TryFind("expect", out _);

    /// <summary><c>HTTP2-Settings</c> of a request that asks for h2c as it should (RFC 7540 §3.2); empty else.</summary>
    public string Http2Settings { get; set; } = "";

    /// <summary>It came as an extended CONNECT; <see cref="Method"/> says GET then, as the same wish does in HTTP/1.</summary>
    public bool IsExtendedConnect { get; set; }

    public bool HasBody => IsChunked || ContentLength > 0 || IsStreamed;

    /// <summary><c>:path</c> came as never to be indexed, and goes on so (RFC 7541 §6.2.3).</summary>
    public bool IsPathNeverIndexed { get; set; }

    internal int AuthorityStart { get; private set; }

    internal int AuthorityLength { get; private set; }

    /// <summary>Another path and query takes the place of the one that was sent: for policy, records, routes and upstream alike.</summary>
    /// <param name="path">No part of this head.</param>
    public void SetPath(ReadOnlySpan<char> path)
    {
        var origin = pathStart - targetStart;
        targetStart = CopyText(targetStart, origin); // an absolute form keeps what stands before its path
        pathStart = AppendText(path);
        targetLength = origin + path.Length;
        pathLength = path.Length;
    }

    /// <summary>Another authority takes the place of the one that was sent, in Host as in an absolute form.</summary>
    /// <param name="authority">No part of this head.</param>
    public void SetAuthority(ReadOnlySpan<char> authority)
    {
        if (Target.StartsWith(SchemePrefix, StringComparison.OrdinalIgnoreCase) && !IsConnect)
        {
            targetStart = CopyText(targetStart, SchemePrefix.Length);
            AuthorityStart = AppendText(authority);
            pathStart = CopyText(pathStart, pathLength);
            targetLength = SchemePrefix.Length + authority.Length + pathLength;
        }
        else
        {
            AuthorityStart = AppendText(authority);
        }
        AuthorityLength = authority.Length;
        if (TryFind("host", out _))
        {
            SetHeader("host", authority); // HTTP/1.0 may do without
        }
    }

    /// <summary>Whether the target has a path at all: CONNECT has none, nor an absolute form without one.</summary>
    public bool HasPath => pathLength > 0;

    internal void Reset(ReadOnlySpan<byte> head)
    {
        Load(head);
        methodStart = methodLength = targetStart = targetLength = pathStart = pathLength = AuthorityStart = AuthorityLength = 0;
        ContentLength = -1;
        IsChunked = false;
        IsStreamed = false;
        IsExtendedConnect = false;
        AsksClose = false;
        Http2Settings = "";
        IsPathNeverIndexed = false;
        UpgradeProtocol = "";
        SchemeName = "http";
        WantsUpgrade = false;
        UpstreamTarget = null;
    }

    /// <summary>Starts a head of HTTP/2, whose parts come one by one. They were checked.</summary>
    internal void BeginHttp2()
    {
        Reset([]);
        Version = HttpProtocol.Http2;
    }

    /// <summary><c>:method</c>.</summary>
    internal void SetMethod(ReadOnlySpan<byte> method)
    {
        methodStart = AppendText(method);
        methodLength = method.Length;
    }

    /// <summary><c>:path</c>, which is the target too.</summary>
    internal void SetHttp2Path(ReadOnlySpan<byte> path)
    {
        targetStart = pathStart = AppendText(path);
        targetLength = pathLength = path.Length;
    }

    /// <summary><c>:authority</c>.</summary>
    internal void SetHttp2Authority(ReadOnlySpan<byte> authority)
    {
        AuthorityStart = AppendText(authority);
        AuthorityLength = authority.Length;
    }

    /// <summary>A CONNECT: its target is the authority, and has no path.</summary>
    internal void SetTargetToAuthority() => (targetStart, targetLength) = (AuthorityStart, AuthorityLength);

    internal void SetRequestLine(int method, int target, int targetSize, int path, int pathSize)
    {
        methodLength = method;
        targetStart = target;
        targetLength = targetSize;
        pathStart = path;
        pathLength = pathSize;
    }

    internal void SetAuthority(int start, int length)
    {
        AuthorityStart = start;
        AuthorityLength = length;
    }

    internal void AddField(int nameStart, int nameLength, int valueStart, int valueLength) => AddLine(nameStart, nameLength, valueStart, valueLength);
}

namespace Postern.Xds.Config;

/// <summary><c>HttpConnectionManager.CodecType</c>: which HTTP a listener takes.</summary>
public enum CodecType
{
    /// <summary>Whichever the client speaks: by ALPN, else by its first bytes.</summary>
    Auto,

    /// <summary>HTTP/1 only; HTTP/2's preface is an error.</summary>
    Http1,

    /// <summary>HTTP/2 only.</summary>
    Http2,
}

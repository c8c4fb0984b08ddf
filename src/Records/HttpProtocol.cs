namespace Postern.Records;

/// <summary><c>cilium.HttpProtocol</c>, wire numbers.</summary>
public enum HttpProtocol
{
    /// <summary>HTTP/1.0.</summary>
    Http10 = 0,

    /// <summary>HTTP/1.1.</summary>
    Http11 = 1,

    /// <summary>HTTP/2.</summary>
    Http2 = 2,
}

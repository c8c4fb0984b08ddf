using System;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http;

/// <summary>A message's body as it comes in, whatever protocol frames it. One reader at a time.</summary>
internal interface IBodySource
{
    /// <summary>The next bytes, as soon as there are any. They stay valid until the next call. Never throws but for bugs.</summary>
    ValueTask<BodyRead> ReadAsync();

    /// <summary>The trailer section, without forbidden fields; set once a read said <see cref="BodyRead.IsEnd"/>, null where there was none.</summary>
    HeaderBlock? Trailers { get; }
}

/// <summary>What one read of a body gave.</summary>
/// <param name="Data">Decoded bytes; may be empty only at the end or with an error.</param>
/// <param name="IsEnd">The body ended well with these bytes.</param>
/// <param name="Error">The body broke off or was malformed: nothing comes after it, and what was forwarded of it must not end well.</param>
internal readonly record struct BodyRead(ReadOnlyMemory<byte> Data, bool IsEnd, ProxyError Error)
{
    /// <summary>Nothing left.</summary>
    public static readonly BodyRead End = new(default, true, ProxyError.None);

    /// <summary>It failed.</summary>
    public static BodyRead Failed(ErrorCode code, string detail) => new(default, false, new ProxyError(code, detail));
}

using System;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Proxy.Http2;

/// <summary>Writes heads and trailers as header blocks. Each returns where it ends in the buffer, or -1 when a field holds what may not be sent.</summary>
internal static class HeadWriter
{
    public static int WriteRequest(HpackEncoder encoder, RequestHead head, ref byte[] buffer, int at) => throw new NotImplementedException();

    public static int WriteResponse(HpackEncoder encoder, ResponseHead head, ref byte[] buffer, int at) => throw new NotImplementedException();

    public static int WriteTrailers(HpackEncoder encoder, HeaderBlock trailers, ref byte[] buffer, int at) => throw new NotImplementedException();
}

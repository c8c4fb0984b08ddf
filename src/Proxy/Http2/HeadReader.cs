using System;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Proxy.Http2;

internal sealed class HeadReader : IFieldSink
{
    private readonly int state = 1;

    public Http2HeadError ReadRequest(HpackDecoder decoder, ReadOnlySpan<byte> block, bool endStream, RequestHead head, in HeadLimits limits) => throw new NotImplementedException($"{state}");

    public Http2HeadError ReadResponse(HpackDecoder decoder, ReadOnlySpan<byte> block, bool endStream, bool toHeadRequest, ResponseHead head, in HeadLimits limits) => throw new NotImplementedException($"{state}");

    public Http2HeadError ReadTrailers(HpackDecoder decoder, ReadOnlySpan<byte> block, HeaderBlock trailers, in HeadLimits limits) => throw new NotImplementedException($"{state}");

    public bool OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed) => throw new NotImplementedException($"{state}");
}

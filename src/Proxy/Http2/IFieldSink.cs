using System;

namespace Postern.Proxy.Http2;

/// <summary>Takes the fields of a header block in their order. Spans are valid during the call.</summary>
internal interface IFieldSink
{
    /// <summary>One field, as it was sent. False ends the decoding of this block's fields to the sink (the rest is decoded for the table's sake and dropped).</summary>
    bool OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed);
}

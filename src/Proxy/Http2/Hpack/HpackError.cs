namespace Postern.Proxy.Http2.Hpack;

/// <summary>Why a header block is no HPACK (RFC 7541). Each of them leaves the table in doubt, so the connection ends with COMPRESSION_ERROR.</summary>
internal enum HpackError
{
    None,

    /// <summary>The block ends in the middle of a field.</summary>
    Truncated,

    /// <summary>An integer has more octets than any block may need (§5.1).</summary>
    IntegerTooLarge,

    /// <summary>Index 0, or one behind the dynamic table's end (§2.3.3).</summary>
    InvalidIndex,

    /// <summary>A table size update after a field, or a third one (§4.2).</summary>
    MisplacedSizeUpdate,

    /// <summary>A table size update above what we announced (§6.3).</summary>
    TableSizeTooLarge,

    /// <summary>Huffman text with EOS in it, more than 7 bits of padding, or padding that is not all ones (§5.2).</summary>
    InvalidHuffman,
}

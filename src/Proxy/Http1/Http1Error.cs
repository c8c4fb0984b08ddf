namespace Postern.Proxy.Http1;

/// <summary>Why a message is not acceptable HTTP/1. The name, in snake case, is the record's reason.</summary>
internal enum Http1Error
{
    None,
    BareLineFeed,
    BareCarriageReturn,
    InvalidRequestLine,
    InvalidMethod,
    InvalidTarget,
    UnsupportedVersion,
    InvalidHeaderName,
    InvalidHeaderValue,
    ObsoleteLineFolding,
    HeadTooLarge,
    TooManyHeaders,
    MissingHost,
    DuplicateHost,
    InvalidHost,
    HostMismatch,
    InvalidContentLength,
    DuplicateContentLength,
    ContentLengthWithTransferEncoding,
    UnsupportedTransferEncoding,
    TransferEncodingInHttp10,
    InvalidConnectionHeader,
    InvalidChunk,
    ChunkExtensionTooLarge,
    TrailersTooLarge,
    ForbiddenTrailer,
    InvalidStatusLine,
}

/// <summary>Status and words for each error.</summary>
internal static class Http1Errors
{
    /// <summary>431 and 414-like cases are told apart from plain bad requests; everything closes the connection.</summary>
    public static int Status(Http1Error error) => error switch
    {
        Http1Error.HeadTooLarge or Http1Error.TooManyHeaders or Http1Error.TrailersTooLarge => 431,
        Http1Error.UnsupportedVersion => 505,
        _ => 400,
    };

    /// <summary>Label for records and metrics.</summary>
    public static string Label(Http1Error error) => error switch
    {
        Http1Error.BareLineFeed => "http1_bare_line_feed",
        Http1Error.BareCarriageReturn => "http1_bare_carriage_return",
        Http1Error.InvalidRequestLine => "http1_invalid_request_line",
        Http1Error.InvalidMethod => "http1_invalid_method",
        Http1Error.InvalidTarget => "http1_invalid_target",
        Http1Error.UnsupportedVersion => "http1_unsupported_version",
        Http1Error.InvalidHeaderName => "http1_invalid_header_name",
        Http1Error.InvalidHeaderValue => "http1_invalid_header_value",
        Http1Error.ObsoleteLineFolding => "http1_obsolete_line_folding",
        Http1Error.HeadTooLarge => "http1_head_too_large",
        Http1Error.TooManyHeaders => "http1_too_many_headers",
        Http1Error.MissingHost => "http1_missing_host",
        Http1Error.DuplicateHost => "http1_duplicate_host",
        Http1Error.InvalidHost => "http1_invalid_host",
        Http1Error.HostMismatch => "http1_host_mismatch",
        Http1Error.InvalidContentLength => "http1_invalid_content_length",
        Http1Error.DuplicateContentLength => "http1_duplicate_content_length",
        Http1Error.ContentLengthWithTransferEncoding => "http1_content_length_with_transfer_encoding",
        Http1Error.UnsupportedTransferEncoding => "http1_unsupported_transfer_encoding",
        Http1Error.TransferEncodingInHttp10 => "http1_transfer_encoding_in_http10",
        Http1Error.InvalidConnectionHeader => "http1_invalid_connection_header",
        Http1Error.InvalidChunk => "http1_invalid_chunk",
        Http1Error.ChunkExtensionTooLarge => "http1_chunk_extension_too_large",
        Http1Error.TrailersTooLarge => "http1_trailers_too_large",
        Http1Error.ForbiddenTrailer => "http1_forbidden_trailer",
        Http1Error.InvalidStatusLine => "http1_invalid_status_line",
        _ => "http1_error",
    };
}

namespace Postern.Proxy.Http2;

/// <summary>Status and words for each error.</summary>
internal static class Http2HeadErrors
{
    /// <summary>What a request is answered with, before its stream ends: 431 for too much, else 400.</summary>
    public static int Status(Http2HeadError error) => error is Http2HeadError.TooLarge or Http2HeadError.TooManyFields ? 431 : 400;

    /// <summary>Label for records and metrics.</summary>
    public static string Label(Http2HeadError error) => error switch
    {
        Http2HeadError.MalformedHpack => "http2_malformed_hpack",
        Http2HeadError.TooLarge => "http2_head_too_large",
        Http2HeadError.TooManyFields => "http2_too_many_headers",
        Http2HeadError.UppercaseName => "http2_uppercase_header_name",
        Http2HeadError.InvalidName => "http2_invalid_header_name",
        Http2HeadError.InvalidValue => "http2_invalid_header_value",
        Http2HeadError.UnknownPseudo => "http2_unknown_pseudo_header",
        Http2HeadError.DuplicatePseudo => "http2_duplicate_pseudo_header",
        Http2HeadError.MissingPseudo => "http2_missing_pseudo_header",
        Http2HeadError.UnexpectedPseudo => "http2_unexpected_pseudo_header",
        Http2HeadError.PseudoAfterField => "http2_pseudo_header_after_header",
        Http2HeadError.PseudoInTrailers => "http2_pseudo_header_in_trailers",
        Http2HeadError.InvalidMethod => "http2_invalid_method",
        Http2HeadError.InvalidScheme => "http2_invalid_scheme",
        Http2HeadError.InvalidPath => "http2_invalid_path",
        Http2HeadError.InvalidAuthority => "http2_invalid_authority",
        Http2HeadError.InvalidProtocol => "http2_invalid_protocol",
        Http2HeadError.InvalidStatus => "http2_invalid_status",
        Http2HeadError.MissingAuthority => "http2_missing_authority",
        Http2HeadError.DuplicateHost => "http2_duplicate_host",
        Http2HeadError.HostMismatch => "http2_host_mismatch",
        Http2HeadError.ConnectionSpecificField => "http2_connection_specific_header",
        Http2HeadError.InvalidTe => "http2_invalid_te",
        Http2HeadError.InvalidContentLength => "http2_invalid_content_length",
        Http2HeadError.DuplicateContentLength => "http2_duplicate_content_length",
        Http2HeadError.ForbiddenTrailer => "http2_forbidden_trailer",
        Http2HeadError.MisplacedEndStream => "http2_misplaced_end_stream",
        _ => "http2_error",
    };
}

namespace Postern.Proxy.Http2;

/// <summary>
/// Why a head or trailers are not acceptable HTTP/2 (RFC 9113 §8). <see cref="MalformedHpack"/> ends the connection with COMPRESSION_ERROR;
/// all others end the stream. The name, in snake case, is the record's reason.
/// </summary>
internal enum Http2HeadError
{
    None,
    MalformedHpack,
    TooLarge,
    TooManyFields,
    UppercaseName,
    InvalidName,
    InvalidValue,
    UnknownPseudo,
    DuplicatePseudo,
    MissingPseudo,
    UnexpectedPseudo,
    PseudoAfterField,
    PseudoInTrailers,
    InvalidMethod,
    InvalidScheme,
    InvalidPath,
    InvalidAuthority,
    InvalidProtocol,
    InvalidStatus,
    MissingAuthority,
    DuplicateHost,
    HostMismatch,
    ConnectionSpecificField,
    InvalidTe,
    InvalidContentLength,
    DuplicateContentLength,
    ForbiddenTrailer,

    /// <summary>An informational response that ends the stream (RFC 9113 §8.1); trailers that do not are for the stream to see.</summary>
    MisplacedEndStream,
}

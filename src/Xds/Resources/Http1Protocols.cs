using Envoy.Config.Core.V3;
using Envoy.Extensions.Http.HeaderFormatters.PreserveCase.V3;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>
/// <c>Http1ProtocolOptions</c>. There is one way here, and it is what the fields are mostly set for: absolute forms and HTTP/1.0 are taken, names keep their
/// case, trailers pass. What asks for another way is refused.
/// </summary>
internal static class Http1Protocols
{
    /// <summary>Throws where something else is asked for.</summary>
    public static void Check(Http1ProtocolOptions? options, ConfigPath path)
    {
        if (options is null)
        {
            return;
        }
        if (options.AllowAbsoluteUrl == false)
        {
            throw path.Field("allow_absolute_url").Error("absolute forms are always taken (RFC 9112, 3.2.2); write true or remove it");
        }
        if (options.AllowChunkedLength)
        {
            throw path.Field("allow_chunked_length").Error("a message with Content-Length and Transfer-Encoding is always refused: two readers would disagree where it ends; remove it");
        }
        if (options.HeaderKeyFormat is not { } format)
        {
            return;
        }
        path = path.Field("header_key_format");
        if (format.ProperCaseWords is not null)
        {
            throw path.Field("proper_case_words").Error("names keep the case they came in; remove it, or write stateful_formatter with preserve_case");
        }
        var at = path.Field("stateful_formatter").Field("typed_config");
        if (format.StatefulFormatter is { } formatter && TypedConfig.Unpack(formatter.TypedConfig, at) is not PreserveCaseFormatterConfig)
        {
            throw at.Error("only PreserveCaseFormatterConfig is built in, which is what happens without it too");
        }
    }
}

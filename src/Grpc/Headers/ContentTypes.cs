using System;

namespace Postern.Grpc.Headers;

/// <summary>Which content types are gRPC with protobuf messages.</summary>
internal static class ContentTypes
{
    /// <summary><c>application/grpc</c>, alone or with <c>+proto</c>, whatever its parameters. Not <c>application/grpc-web</c>, not another codec.</summary>
    public static bool IsGrpc(string? type)
    {
        if (type is null || !type.StartsWith(MetadataHeaders.ContentType, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        var rest = type.AsSpan(MetadataHeaders.ContentType.Length);
        if (rest.StartsWith("+proto", StringComparison.OrdinalIgnoreCase))
        {
            rest = rest["+proto".Length..];
        }
        return rest.IsEmpty || rest[0] is ';' or ' ';
    }
}

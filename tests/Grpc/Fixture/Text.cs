using Google.Protobuf.WellKnownTypes;

namespace Postern.Tests.Grpc.Fixture;

internal static class Text
{
    public static StringValue Of(string value) => new() { Value = value };
}

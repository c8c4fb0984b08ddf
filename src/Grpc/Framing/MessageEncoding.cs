namespace Postern.Grpc.Framing;

/// <summary>What <c>grpc-encoding</c> may say here.</summary>
internal enum MessageEncoding
{
    Identity,
    Gzip,
}

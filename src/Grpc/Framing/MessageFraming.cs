using System.Buffers;
using System.Buffers.Binary;

namespace Postern.Grpc.Framing;

/// <summary>The five bytes before each message: a flag for compression and the length, big endian. Pure: no I/O, allocates nothing.</summary>
internal static class MessageFraming
{
    public const int HeaderLength = 5;

    /// <summary>
    /// Cuts the first message off <paramref name="buffer"/>; false when it is not there whole. A length above the limit is refused
    /// as soon as its prefix is there, before anything is kept for it.
    /// </summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too long. INTERNAL: a flag that is neither 0 nor 1.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, int maxLength, out bool compressed, out ReadOnlySequence<byte> payload)
    {
        compressed = false;
        payload = default;
        if (buffer.Length < HeaderLength)
        {
            return false;
        }
        System.Span<byte> header = stackalloc byte[HeaderLength];
        buffer.Slice(0, HeaderLength).CopyTo(header);
        if (header[0] > 1)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"the message begins with flag {header[0]}, not 0 or 1: this is no gRPC message"));
        }
        var length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > (uint)maxLength)
        {
            throw TooLong(length, maxLength);
        }
        if (buffer.Length - HeaderLength < length)
        {
            return false;
        }
        compressed = header[0] == 1;
        payload = buffer.Slice(HeaderLength, length);
        buffer = buffer.Slice(HeaderLength + (long)length);
        return true;
    }

    /// <summary>Writes the prefix of a message of that length.</summary>
    public static void WriteHeader(System.Span<byte> destination, bool compressed, int length)
    {
        destination[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(destination[1..], length);
    }

    public static RpcException TooLong(long length, int maxLength) =>
        new(new Status(StatusCode.ResourceExhausted, $"the message received has {length} bytes, more than the limit of {maxLength} (MaxReceiveMessageBytes)"));
}

using System.IO.Compression;
using Google.Protobuf;

namespace Postern.Grpc.Framing;

/// <summary>Turns a message into the bytes that go out: prefix and payload in one buffer of the pool.</summary>
internal static class MessageWriter
{
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: the message is longer than <paramref name="maxBytes"/>.</exception>
    public static PooledBytes Frame<T>(T message, int maxBytes, MessageEncoding encoding)
        where T : class, IMessage<T>
    {
        var size = message.CalculateSize();
        if (size > maxBytes)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"the message to send has {size} bytes, more than the limit of {maxBytes} (MaxSendMessageBytes)"));
        }
        // Gzip may add a little to what does not compress; that is no reason to refuse the message.
        var frame = new PooledBytes(int.MaxValue, static () => new RpcException(new Status(StatusCode.ResourceExhausted, "the compressed message does not fit into memory")));
        try
        {
            var compressed = encoding == MessageEncoding.Gzip && size > 0;
            frame.Take(MessageFraming.HeaderLength);
            if (compressed)
            {
                using var plain = new PooledBytes(size, static () => new System.InvalidOperationException("the message grew while it was written"));
                message.WriteTo(plain.Take(size));
                using var gzip = new GZipStream(frame, CompressionLevel.Fastest, leaveOpen: true);
                gzip.Write(plain.Span);
            }
            else
            {
                message.WriteTo(frame.Take(size));
            }
            MessageFraming.WriteHeader(frame.First(MessageFraming.HeaderLength), compressed, (int)frame.Length - MessageFraming.HeaderLength);
            return frame;
        }
        catch
        {
            frame.Dispose();
            throw;
        }
    }
}

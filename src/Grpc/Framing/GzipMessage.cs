using System;
using System.Buffers;
using System.IO;
using System.IO.Compression;

namespace Postern.Grpc.Framing;

/// <summary>One message in gzip. What comes out is counted while it comes out, so that a small message cannot become a large one.</summary>
internal static class GzipMessage
{
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: more than the limit comes out. INTERNAL: this is no gzip.</exception>
    public static PooledBytes Decompress(in ReadOnlySequence<byte> payload, int maxBytes)
    {
        var input = ArrayPool<byte>.Shared.Rent((int)Math.Max(payload.Length, 1));
        var chunk = ArrayPool<byte>.Shared.Rent(16 << 10);
        var output = new PooledBytes(maxBytes, () => MessageFraming.TooLong((long)maxBytes + 1, maxBytes));
        try
        {
            payload.CopyTo(input);
            var length = (int)payload.Length;
            using var gzip = new GZipStream(new MemoryStream(input, 0, length, writable: false), CompressionMode.Decompress);
            int count;
            while ((count = gzip.Read(chunk)) > 0)
            {
                output.Write(chunk.AsSpan(0, count));
            }
            // The stream takes an empty or cut input for an empty output; the trailer tells.
            if (length < 18 || BitConverter.ToUInt32(input, length - 4) != (uint)output.Length)
            {
                throw new InvalidDataException("the gzip trailer is missing or names another length");
            }
            return output;
        }
        catch (Exception e)
        {
            output.Dispose();
            throw e is InvalidDataException
                ? new RpcException(new Status(StatusCode.Internal, $"a message does not decompress: {e.Message}"), inner: e)
                : e;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(input);
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }
}

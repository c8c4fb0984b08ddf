using System;
using System.Buffers;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;

namespace Postern.Grpc.Framing;

/// <summary>Reads the messages of one direction of one call. One reader at a time.</summary>
/// <param name="pipe">The body.</param>
/// <param name="maxBytes">Of one message, before and after decompression.</param>
/// <param name="encoding">What a set compression flag means here.</param>
internal sealed class MessageReader(PipeReader pipe, int maxBytes, MessageEncoding encoding)
{
    /// <summary>The next message, or null at the end of the body.</summary>
    /// <exception cref="RpcException">The body breaks the framing, or the message does not parse.</exception>
    public ValueTask<T?> ReadAsync<T>(MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T> => ReadAsync(parser.ParseFrom, cancellationToken);

    /// <summary>The next message, or null at the end of the body.</summary>
    /// <exception cref="RpcException">The body breaks the framing, or the message does not parse.</exception>
    public async ValueTask<T?> ReadAsync<T>(Func<ReadOnlySequence<byte>, T> parse, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        while (true)
        {
            var read = await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.IsCanceled)
            {
                throw new OperationCanceledException(cancellationToken);
            }
            var buffer = read.Buffer;
            if (MessageFraming.TryRead(ref buffer, maxBytes, out var compressed, out var payload))
            {
                var message = Parse(parse, compressed, payload);
                pipe.AdvanceTo(buffer.Start);
                return message;
            }
            if (read.IsCompleted)
            {
                var rest = buffer.Length;
                pipe.AdvanceTo(buffer.End);
                return rest == 0 ? null : throw new RpcException(new Status(StatusCode.Internal, "the stream ended in the middle of a message"));
            }
            pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    /// <summary>Gives the buffers back; nobody reads any more.</summary>
    public void Complete() => pipe.Complete();

    private T Parse<T>(Func<ReadOnlySequence<byte>, T> parse, bool compressed, in ReadOnlySequence<byte> payload)
        where T : class, IMessage<T>
    {
        try
        {
            if (!compressed)
            {
                return parse(payload);
            }
            using var plain = encoding switch
            {
                MessageEncoding.Gzip => GzipMessage.Decompress(payload, maxBytes),
                _ => throw new RpcException(new Status(StatusCode.Internal, "a message is marked as compressed, but grpc-encoding names no compression")),
            };
            return parse(new ReadOnlySequence<byte>(plain.Memory));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"a message does not parse as {typeof(T).Name}: {e.Message}"), inner: e);
        }
    }
}

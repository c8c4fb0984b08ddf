using System;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;

namespace Postern.Grpc.Server;

/// <summary>The messages to the client of one call. A method that gives one message gives exactly one.</summary>
internal sealed class ResponseStream<T>(ServerCall call, bool single) : IServerStreamWriter<T>
    where T : class, IMessage<T>
{
    private int written;

    public ValueTask WriteAsync(T message, CancellationToken cancellationToken)
    {
        written++;
        return single && written > 1
            ? throw new InvalidOperationException("the method gives one response message, and it is written already")
            : call.WriteAsync(message, cancellationToken);
    }

    /// <summary>The handler has returned.</summary>
    public void Complete()
    {
        if (single && written == 0)
        {
            throw new InvalidOperationException("the method gives one response message, and the handler wrote none");
        }
    }
}

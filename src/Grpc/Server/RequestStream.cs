using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;

namespace Postern.Grpc.Server;

/// <summary>The client's messages of one call. A method that takes one message gets it only when the client has sent exactly one.</summary>
internal sealed class RequestStream<T>(ServerCall call, MessageParser<T> parser, bool single) : IAsyncStreamReader<T>
    where T : class, IMessage<T>
{
    private bool taken;

    public async ValueTask<T?> ReadAsync(CancellationToken cancellationToken)
    {
        if (single && taken)
        {
            return null;
        }
        using var linked = cancellationToken.CanBeCanceled && cancellationToken != call.CancellationToken
            ? CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, cancellationToken)
            : null;
        var token = linked?.Token ?? call.CancellationToken;
        var message = await call.Requests.ReadAsync(parser, token).ConfigureAwait(false);
        if (single)
        {
            taken = true;
            if (message is null || await call.Requests.ReadAsync(parser, token).ConfigureAwait(false) is not null)
            {
                throw new RpcException(new Status(StatusCode.Internal, $"the method takes one request message; the call has {(message is null ? "none" : "more")}"));
            }
        }
        return message;
    }
}

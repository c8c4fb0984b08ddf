using System.Threading.Tasks;
using Google.Protobuf;

namespace Postern.Grpc.Client;

/// <summary>Makes calls. The seam between a generated-like client and the wire; a channel gives one.</summary>
public abstract class CallInvoker
{
    /// <summary>One request, one response.</summary>
    /// <exception cref="RpcException">Not OK.</exception>
    public abstract Task<TResponse> UnaryAsync<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options = default)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>;

    /// <summary>The other three kinds: the caller writes what the method takes and reads what it gives.</summary>
    public abstract StreamingCall<TRequest, TResponse> Open<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options = default)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>;
}

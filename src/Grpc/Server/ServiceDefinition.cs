using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Postern.Grpc.Server;

/// <summary>Messages from the client.</summary>
public interface IAsyncStreamReader<T>
    where T : class
{
    /// <summary>The next, or null when the client has sent its last.</summary>
    ValueTask<T?> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>Messages to the client. One writer at a time.</summary>
public interface IServerStreamWriter<in T>
    where T : class
{
    /// <summary>Sends one; waits for flow control.</summary>
    ValueTask WriteAsync(T message, CancellationToken cancellationToken);
}

/// <summary>
/// A service and its handlers. A handler that throws <see cref="RpcException"/> ends its call with that status; any other exception
/// ends it with UNKNOWN and is logged, its text is not sent.
/// </summary>
public sealed class ServiceDefinition
{
    private readonly Dictionary<string, ServiceMethod> methods = new(StringComparer.Ordinal);

    /// <summary>Creates it.</summary>
    /// <param name="name">Full name.</param>
    /// <param name="file">The file that describes it, for reflection; null leaves it undescribed.</param>
    public ServiceDefinition(string name, FileDescriptor? file = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        File = file;
    }

    /// <summary>Full name.</summary>
    public string Name { get; }

    /// <summary>For reflection.</summary>
    public FileDescriptor? File { get; }

    /// <summary>By name.</summary>
    public IReadOnlyDictionary<string, ServiceMethod> Methods => methods;

    /// <summary>Adds a unary method.</summary>
    public ServiceDefinition Unary<TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TRequest, ServerCallContext, Task<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
        => Add(method, async (requests, responses, context) =>
        {
            var request = await requests.ReadAsync(context.CancellationToken).ConfigureAwait(false)
                ?? throw new RpcException(new Status(StatusCode.Internal, "the call has no request message"));
            await responses.WriteAsync(await handler(request, context).ConfigureAwait(false), context.CancellationToken).ConfigureAwait(false);
        });

    /// <summary>Adds a method of any streaming kind.</summary>
    public ServiceDefinition Add<TRequest, TResponse>(
        Method<TRequest, TResponse> method,
        Func<IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        if (method.ServiceName != Name)
        {
            throw new ArgumentException($"{method.FullName} is no method of {Name}", nameof(method));
        }
        methods.Add(method.Name, new ServiceMethod<TRequest, TResponse>(method, handler));
        return this;
    }
}

/// <summary>A method with its handler.</summary>
public abstract class ServiceMethod
{
    /// <summary>Kind.</summary>
    public abstract MethodType Type { get; }

    /// <summary>Runs the handler on the call's messages.</summary>
    internal abstract Task InvokeAsync(ServerCall call);
}

/// <summary>A method with its handler.</summary>
public sealed class ServiceMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    Func<IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task> handler) : ServiceMethod
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    /// <inheritdoc/>
    public override MethodType Type => Method.Type;

    internal Method<TRequest, TResponse> Method { get; } = method;

    internal Func<IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task> Handler { get; } = handler;

    internal override async Task InvokeAsync(ServerCall call)
    {
        var requests = new RequestStream<TRequest>(call, Method.RequestParser, single: Type is MethodType.Unary or MethodType.ServerStreaming);
        var responses = new ResponseStream<TResponse>(call, single: Type is MethodType.Unary or MethodType.ClientStreaming);
        await Handler(requests, responses, call).ConfigureAwait(false);
        responses.Complete();
    }
}

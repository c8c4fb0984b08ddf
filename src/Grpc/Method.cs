using System;
using System.Buffers;
using Google.Protobuf;

namespace Postern.Grpc;

/// <summary>The four kinds of call.</summary>
public enum MethodType
{
    /// <summary>One request, one response.</summary>
    Unary,

    /// <summary>Many requests, one response.</summary>
    ClientStreaming,

    /// <summary>One request, many responses.</summary>
    ServerStreaming,

    /// <summary>Many of both, at once.</summary>
    DuplexStreaming,
}

/// <summary>A method of a service: its path, its kind and how its messages are read.</summary>
public sealed class Method<TRequest, TResponse>
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    /// <summary>Creates it.</summary>
    /// <param name="type">Kind.</param>
    /// <param name="serviceName">Full name, like <c>envoy.service.listener.v3.ListenerDiscoveryService</c>.</param>
    /// <param name="name">Like <c>StreamListeners</c>.</param>
    /// <param name="requestParser">The message's static <c>Parser</c>.</param>
    /// <param name="responseParser">The message's static <c>Parser</c>.</param>
    public Method(MethodType type, string serviceName, string name, MessageParser<TRequest> requestParser, MessageParser<TResponse> responseParser)
    {
        ArgumentException.ThrowIfNullOrEmpty(serviceName);
        ArgumentException.ThrowIfNullOrEmpty(name);
        Type = type;
        ServiceName = serviceName;
        Name = name;
        RequestParser = requestParser;
        ResponseParser = responseParser;
        ReadResponse = responseParser.ParseFrom;
    }

    /// <summary>Kind.</summary>
    public MethodType Type { get; }

    /// <summary>Full name of the service.</summary>
    public string ServiceName { get; }

    /// <summary>Name within the service.</summary>
    public string Name { get; }

    /// <summary><c>/service/method</c>.</summary>
    public string FullName => $"/{ServiceName}/{Name}";

    /// <summary>Reads requests.</summary>
    public MessageParser<TRequest> RequestParser { get; }

    /// <summary>Reads responses.</summary>
    public MessageParser<TResponse> ResponseParser { get; }

    /// <summary>
    /// Reads a response's bytes, which are gone afterwards; the parser unless set. Throws <see cref="InvalidProtocolBufferException"/>. For a client
    /// that knows a cheaper way; called for one message of a call after the other.
    /// </summary>
    public Func<ReadOnlySequence<byte>, TResponse> ReadResponse { get; init; }
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Security;

namespace Postern.Grpc.Server;

/// <summary>Where a server listens and what it serves.</summary>
public sealed record GrpcServerOptions : GrpcServiceOptions
{
    /// <summary><see cref="IPEndPoint"/> (port 0 takes a free one) or <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>. At least one.</summary>
    public required IReadOnlyList<EndPoint> EndPoints { get; init; }

    /// <summary>What is served.</summary>
    public required IReadOnlyList<ServiceDefinition> Services { get; init; }

    /// <summary>TLS on every end point; null is HTTP/2 in clear text with prior knowledge.</summary>
    public SslServerAuthenticationOptions? Tls { get; init; }

    /// <summary>Mode of a unix socket's file, set before the socket takes connections.</summary>
    public UnixFileMode SocketMode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Silence after which an HTTP/2 PING asks whether the client lives; at least 1 s. Null sends none.</summary>
    public TimeSpan? KeepAliveInterval { get; init; }

    /// <summary>For the answer to a PING; then the connection is closed. At least 1 s.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Calls at once on one connection.</summary>
    public int MaxCallsPerConnection { get; init; } = 1000;

    /// <inheritdoc/>
    internal override void Validate()
    {
        base.Validate();
        var second = TimeSpan.FromSeconds(1);
        if (EndPoints.Count == 0)
        {
            throw new ArgumentException($"{nameof(EndPoints)} is empty");
        }
        if (KeepAliveInterval < second || KeepAliveTimeout < second)
        {
            throw new ArgumentException($"{nameof(KeepAliveInterval)} is {KeepAliveInterval} and {nameof(KeepAliveTimeout)} is {KeepAliveTimeout}; both must be at least 1 s");
        }
        if (MaxCallsPerConnection < 1)
        {
            throw new ArgumentException($"{nameof(MaxCallsPerConnection)} is {MaxCallsPerConnection}; it must be at least 1");
        }
    }
}

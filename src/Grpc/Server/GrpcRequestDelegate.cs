using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Postern.Grpc.Framing;
using Postern.Grpc.Headers;

namespace Postern.Grpc.Server;

/// <summary>Serves calls as requests of an HTTP/2 server; any Kestrel host can have it as its end of the pipeline.</summary>
public sealed class GrpcRequestDelegate
{
    private readonly Dictionary<string, ServiceDefinition> services = new(StringComparer.Ordinal);
    private readonly GrpcServiceOptions options;
    private readonly ILogger logger;
    private readonly CancellationToken stopping;

    private GrpcRequestDelegate(IReadOnlyList<ServiceDefinition> services, GrpcServiceOptions options, CancellationToken stopping)
    {
        foreach (var service in services)
        {
            if (!this.services.TryAdd(service.Name, service))
            {
                throw new ArgumentException($"the service {service.Name} is there twice", nameof(services));
            }
        }
        this.options = options;
        this.stopping = stopping;
        logger = options.Loggers.CreateLogger("postern.grpc");
    }

    /// <summary>The delegate for these services.</summary>
    /// <param name="services">Each name once.</param>
    /// <param name="options">Limits of a call.</param>
    /// <param name="stopping">Ends all calls with UNAVAILABLE.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or two services have one name.</exception>
    public static RequestDelegate Create(IReadOnlyList<ServiceDefinition> services, GrpcServiceOptions options, CancellationToken stopping = default)
    {
        options.Validate();
        return new GrpcRequestDelegate(services, options, stopping).ServeAsync;
    }

    private Task ServeAsync(HttpContext http)
    {
        var request = http.Request;
        var wrong = !HttpProtocol.IsHttp2(request.Protocol) ? StatusCodes.Status426UpgradeRequired
            : !HttpMethods.IsPost(request.Method) ? StatusCodes.Status405MethodNotAllowed
            : !ContentTypes.IsGrpc(request.ContentType) ? StatusCodes.Status415UnsupportedMediaType
            : 0;
        if (wrong != 0)
        {
            http.Response.StatusCode = wrong;
            return Task.CompletedTask;
        }
        http.Response.ContentType = MetadataHeaders.ContentType;
        if (Find(request.Path.Value, out var method) is { } refusal)
        {
            return Refuse(http, refusal);
        }
        TimeSpan? timeout = null;
        if (request.Headers.TryGetValue(MetadataHeaders.Timeout, out var text))
        {
            if (!GrpcTimeout.TryParse(text.ToString(), out var parsed))
            {
                return Refuse(http, new Status(StatusCode.Internal, $"grpc-timeout '{text}' is no timeout"));
            }
            timeout = parsed;
        }
        var encodingName = request.Headers[MetadataHeaders.Encoding].ToString();
        if (!MessageEncodings.TryParse(encodingName, out var encoding))
        {
            http.Response.Headers[MetadataHeaders.AcceptEncoding] = MessageEncodings.Accepted;
            return Refuse(http, new Status(StatusCode.Unimplemented, $"grpc-encoding '{encodingName}' is not supported"));
        }
        return new ServerCall(http, options, timeout, encoding, logger, stopping).RunAsync(method!);
    }

    private Status? Find(string? path, out ServiceMethod? method)
    {
        method = null;
        var slash = path?.LastIndexOf('/') ?? -1;
        if (slash < 1)
        {
            return new Status(StatusCode.Unimplemented, $"'{path}' is no /service/method");
        }
        if (!services.TryGetValue(path![1..slash], out var service))
        {
            return new Status(StatusCode.Unimplemented, $"unknown service {path[1..slash]}");
        }
        return service.Methods.TryGetValue(path[(slash + 1)..], out method) ? null : new Status(StatusCode.Unimplemented, $"unknown method {path[(slash + 1)..]} of {service.Name}");
    }

    private static Task Refuse(HttpContext http, Status status)
    {
        ServerCall.PutStatus(http.Response.Headers, status);
        return http.Response.CompleteAsync();
    }
}

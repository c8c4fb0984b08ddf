using System;
using System.Globalization;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Postern.Grpc.Framing;
using Postern.Grpc.Headers;

namespace Postern.Grpc.Server;

/// <summary>One call. Owner: its request. Its status is written once, when the handler has returned.</summary>
internal sealed partial class ServerCall : ServerCallContext
{
    private readonly HttpContext http;
    private readonly GrpcServiceOptions options;
    private readonly ILogger logger;
    private readonly TimeSpan? timeout;
    private readonly CancellationToken stopping;
    private readonly MessageEncoding answers;
    private readonly CancellationTokenSource cancelled;
    private bool deadlinePassed;

    public ServerCall(HttpContext http, GrpcServiceOptions options, TimeSpan? timeout, MessageEncoding encoding, ILogger logger, CancellationToken stopping)
    {
        this.http = http;
        this.options = options;
        this.timeout = timeout;
        this.logger = logger;
        this.stopping = stopping;
        Deadline = timeout is { } left ? options.TimeProvider.GetUtcNow() + left : null;
        cancelled = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        answers = options.Compress && MessageEncodings.AcceptsGzip(http.Request.Headers[MetadataHeaders.AcceptEncoding].ToString()) ? MessageEncoding.Gzip : MessageEncoding.Identity;
        Requests = new MessageReader(http.Request.BodyReader, options.MaxReceiveMessageBytes, encoding);
        foreach (var (name, values) in http.Request.Headers)
        {
            foreach (var value in values)
            {
                MetadataHeaders.AddReceived(RequestHeaders, name, value ?? "");
            }
        }
    }

    public override string Method => http.Request.Path.Value!;

    public override string Peer => http.Connection.RemoteIpAddress switch
    {
        null => "unix:",
        { IsIPv4MappedToIPv6: true } mapped => $"ipv4:{mapped.MapToIPv4()}:{http.Connection.RemotePort}",
        { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } v6 => $"ipv6:[{v6}]:{http.Connection.RemotePort}",
        var v4 => $"ipv4:{v4}:{http.Connection.RemotePort}",
    };

    public override Metadata RequestHeaders { get; } = [];

    public override DateTimeOffset? Deadline { get; }

    public override CancellationToken CancellationToken => cancelled.Token;

    public override Metadata ResponseTrailers { get; } = [];

    /// <summary>The client's messages.</summary>
    public MessageReader Requests { get; }

    public override Task WriteResponseHeadersAsync(Metadata headers)
    {
        if (http.Response.HasStarted)
        {
            throw new InvalidOperationException("the response headers are sent already");
        }
        foreach (var entry in headers)
        {
            Append(http.Response.Headers, entry);
        }
        return StartAsync();
    }

    /// <summary>Sends a message; waits for flow control.</summary>
    public async ValueTask WriteAsync<T>(T message, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        CancellationToken.ThrowIfCancellationRequested();
        using var frame = MessageWriter.Frame(message, options.MaxSendMessageBytes, answers);
        if (!http.Response.HasStarted)
        {
            await StartAsync().ConfigureAwait(false);
        }
        using var linked = cancellationToken.CanBeCanceled && cancellationToken != CancellationToken
            ? CancellationTokenSource.CreateLinkedTokenSource(CancellationToken, cancellationToken)
            : null;
        await http.Response.BodyWriter.WriteAsync(frame.Memory, linked?.Token ?? CancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs the handler and sends the outcome.</summary>
    public async Task RunAsync(ServiceMethod method)
    {
        using var owned = cancelled;
        using var timer = timeout is { } left
            ? options.TimeProvider.CreateTimer(static state => ((ServerCall)state!).PassDeadline(), this, Limit(left), Timeout.InfiniteTimeSpan)
            : null;
        Status status;
        var trailers = ResponseTrailers;
        try
        {
            await method.InvokeAsync(this).ConfigureAwait(false);
            status = Volatile.Read(ref deadlinePassed) ? DeadlineStatus : Status.Ok;
        }
        catch (Exception e)
        {
            (status, trailers) = Outcome(e, method);
        }
        if (http.RequestAborted.IsCancellationRequested)
        {
            return; // nobody is there to be told
        }
        await FinishAsync(status, trailers).ConfigureAwait(false);
    }

    /// <summary>Puts the status among headers or trailers.</summary>
    public static void PutStatus(IHeaderDictionary headers, Status status)
    {
        headers[MetadataHeaders.Status] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (status.Detail.Length > 0)
        {
            headers[MetadataHeaders.Message] = StatusMessage.Encode(status.Detail);
        }
    }

    private static Status DeadlineStatus => new(StatusCode.DeadlineExceeded, "the deadline passed");

    private static TimeSpan Limit(TimeSpan left) => left < TimeSpan.FromDays(49) ? left : TimeSpan.FromDays(49);

    private static void Append(IHeaderDictionary headers, Metadata.Entry entry) =>
        headers.Append(entry.Key, MetadataHeaders.Value(entry));

    private Task StartAsync()
    {
        if (answers != MessageEncoding.Identity)
        {
            http.Response.Headers[MetadataHeaders.Encoding] = "gzip";
        }
        http.Response.Headers[MetadataHeaders.AcceptEncoding] = MessageEncodings.Accepted;
        return FlushHeadersAsync();
    }

    private async Task FlushHeadersAsync()
    {
        await http.Response.StartAsync(CancellationToken).ConfigureAwait(false);
        await http.Response.BodyWriter.FlushAsync(CancellationToken).ConfigureAwait(false);
    }

    private (Status Status, Metadata Trailers) Outcome(Exception e, ServiceMethod method)
    {
        if (Volatile.Read(ref deadlinePassed))
        {
            return (DeadlineStatus, ResponseTrailers);
        }
        if (stopping.IsCancellationRequested && e is OperationCanceledException)
        {
            return (new Status(StatusCode.Unavailable, "the server stops"), ResponseTrailers);
        }
        switch (e)
        {
            case RpcException { StatusCode: not StatusCode.OK } own:
                foreach (var entry in own.Trailers)
                {
                    ResponseTrailers.Add(entry);
                }
                return (own.Status, ResponseTrailers);
            case OperationCanceledException when http.RequestAborted.IsCancellationRequested:
                return (new Status(StatusCode.Cancelled, ""), []);
            default:
                if (!http.RequestAborted.IsCancellationRequested)
                {
                    LogHandlerFailed(Method, method.Type, e);
                }
                return (new Status(StatusCode.Unknown, "the handler failed"), []);
        }
    }

    private async Task FinishAsync(Status status, Metadata trailers)
    {
        try
        {
            // Nothing sent yet and not OK: one header block is the whole answer.
            var only = !http.Response.HasStarted && status.StatusCode != StatusCode.OK;
            if (!only && !http.Response.HasStarted)
            {
                await http.Response.StartAsync(default).ConfigureAwait(false);
            }
            var target = only ? http.Response.Headers : http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers;
            foreach (var entry in trailers)
            {
                if (!MetadataHeaders.IsReserved(entry.Key))
                {
                    Append(target, entry);
                }
            }
            PutStatus(target, status);
            await http.Response.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client went while it was told.
        }
    }

    private void PassDeadline()
    {
        Volatile.Write(ref deadlinePassed, true);
        try
        {
            cancelled.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call ended in this moment.
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} ({Type}): the handler failed; the client was told UNKNOWN")]
    private partial void LogHandlerFailed(string method, MethodType type, Exception exception);
}

using System;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Postern.Grpc.Server;

/// <summary>What every call of a server is held to.</summary>
public record GrpcServiceOptions
{
    /// <summary>Bytes of one received message, counted after decompression too. More is RESOURCE_EXHAUSTED. At least 1.</summary>
    public int MaxReceiveMessageBytes { get; init; } = 4 << 20;

    /// <summary>Bytes of one message to send, before compression. At least 1.</summary>
    public int MaxSendMessageBytes { get; init; } = int.MaxValue;

    /// <summary>Answers in gzip when the client accepts it.</summary>
    public bool Compress { get; init; }

    /// <summary>Keeps deadlines.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where failures of handlers are logged; null logs nothing.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    internal ILoggerFactory Loggers => LoggerFactory ?? NullLoggerFactory.Instance;

    /// <exception cref="ArgumentException">An option is out of its range; the text names it.</exception>
    internal virtual void Validate()
    {
        if (MaxReceiveMessageBytes < 1 || MaxSendMessageBytes < 1)
        {
            throw new ArgumentException($"{nameof(MaxReceiveMessageBytes)} is {MaxReceiveMessageBytes} and {nameof(MaxSendMessageBytes)} is {MaxSendMessageBytes}; both must be at least 1");
        }
    }
}

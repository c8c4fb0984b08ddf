using System;

namespace Postern.Records.AccessLog;

/// <summary>How records go to the agent.</summary>
public sealed record AccessLogOptions
{
    /// <summary>
    /// Largest packet in bytes; the agent's <c>envoy-access-log-buffer-size</c>, 4096 unless configured: what is longer, the agent discards whole.
    /// 1024..65536.
    /// </summary>
    public int MaxMessageSize { get; init; } = 4096;

    /// <summary>Least time between two tries to connect after one failed.</summary>
    public TimeSpan ReconnectInterval { get; init; } = TimeSpan.FromSeconds(1);

    internal void Validate()
    {
        if (MaxMessageSize is < LogEntryEncoder.MinMessageSize or > 65536)
        {
            throw new ArgumentException($"max_message_size is {MaxMessageSize}, accepted is {LogEntryEncoder.MinMessageSize} to 65536; it should equal the agent's envoy-access-log-buffer-size (4096 by default)");
        }
    }
}

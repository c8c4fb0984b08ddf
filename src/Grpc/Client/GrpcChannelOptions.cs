using System;
using System.Net;
using System.Net.Http;
using System.Net.Security;

namespace Postern.Grpc.Client;

/// <summary>Where a channel goes and what it bears.</summary>
public sealed record GrpcChannelOptions
{
    private const int DefaultMaxMessageBytes = 4 << 20;

    /// <summary><see cref="IPEndPoint"/>, <see cref="DnsEndPoint"/> or <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>.</summary>
    public required EndPoint EndPoint { get; init; }

    /// <summary><c>:authority</c>, and the name asked for in TLS when <see cref="Tls"/> names none. Null: the end point's name, <c>localhost</c> for a unix socket.</summary>
    public string? Authority { get; init; }

    /// <summary>TLS with these options, client certificates among them; null is HTTP/2 in clear text with prior knowledge.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>Bytes of one received message, counted after decompression too. More is RESOURCE_EXHAUSTED. At least 1.</summary>
    public int MaxReceiveMessageBytes { get; init; } = DefaultMaxMessageBytes;

    /// <summary>Bytes of one message to send, before compression. At least 1.</summary>
    public int MaxSendMessageBytes { get; init; } = int.MaxValue;

    /// <summary>For the connection with its TLS handshake.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which an HTTP/2 PING asks whether the peer lives, while calls are open; at least 1 s. Null sends none.</summary>
    public TimeSpan? KeepAliveInterval { get; init; }

    /// <summary>For the answer to a PING; then every call of the connection ends in UNAVAILABLE. At least 1 s.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Sends messages in gzip.</summary>
    public bool CompressRequests { get; init; }

    /// <summary><c>user-agent</c>.</summary>
    public string UserAgent { get; init; } = $"postern/{typeof(GrpcChannelOptions).Assembly.GetName().Version?.ToString(3)} grpc-net-like";

    /// <summary>Keeps deadlines.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>The authority in force.</summary>
    internal string EffectiveAuthority => Authority ?? EndPoint switch
    {
        IPEndPoint ip => ip.ToString(),
        DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        _ => "localhost",
    };

    /// <exception cref="ArgumentException">An option is out of its range; the text names it.</exception>
    internal void Validate()
    {
        AtLeastOne(MaxReceiveMessageBytes, nameof(MaxReceiveMessageBytes));
        AtLeastOne(MaxSendMessageBytes, nameof(MaxSendMessageBytes));
        var second = TimeSpan.FromSeconds(1);
        if (ConnectTimeout <= TimeSpan.Zero)
        {
            throw new ArgumentException($"{nameof(ConnectTimeout)} is {ConnectTimeout}; it must be above 0");
        }
        if (KeepAliveInterval < second || KeepAliveTimeout < second)
        {
            throw new ArgumentException($"{nameof(KeepAliveInterval)} is {KeepAliveInterval} and {nameof(KeepAliveTimeout)} is {KeepAliveTimeout}; both must be at least 1 s");
        }
        if (EffectiveAuthority.Length == 0 || EffectiveAuthority.AsSpan().ContainsAnyExceptInRange('!', '~') || EffectiveAuthority.AsSpan().ContainsAny("/?#@\\"))
        {
            throw new ArgumentException($"{nameof(Authority)} '{EffectiveAuthority}' is no host with an optional port");
        }
        using var probe = new HttpRequestMessage();
        try
        {
            probe.Headers.Host = EffectiveAuthority;
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"{nameof(Authority)} '{EffectiveAuthority}' is no host with an optional port", e);
        }
        if (!Metadata.IsText(UserAgent))
        {
            throw new ArgumentException($"{nameof(UserAgent)} must be printable ASCII");
        }
    }

    private static void AtLeastOne(int value, string name)
    {
        if (value < 1)
        {
            throw new ArgumentException($"{name} is {value}; it must be at least 1 (there is no 'no limit'; the largest is {int.MaxValue})");
        }
    }
}

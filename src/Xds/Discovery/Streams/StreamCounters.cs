namespace Postern.Xds.Discovery.Streams;

/// <summary>State of one stream, guarded by the lock of its multiplexer: how it does, for the status.</summary>
internal sealed class StreamCounters
{
    public const string Connecting = "connecting";
    public const string Connected = "connected";
    public const string Live = "live";
    public const string Waiting = "backoff";

    public string State { get; set; } = Connecting;

    public long Attempts { get; set; }

    public string LastError { get; set; } = "";

    public SubscriptionStatus Fill(SubscriptionStatus status) => status with { State = State, Attempts = Attempts, LastStreamError = LastError };
}

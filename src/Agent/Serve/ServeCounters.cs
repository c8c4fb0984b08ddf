namespace Postern.Agent.Serve;

/// <summary>A reading of what the server did since it was made.</summary>
/// <param name="StreamsOpened">Streams accepted.</param>
/// <param name="StreamsRefused">Streams refused for their number.</param>
/// <param name="StreamsFailed">Streams ended because the client did not keep to the protocol or to a limit.</param>
/// <param name="Responses">Sent.</param>
/// <param name="Acks">Received.</param>
/// <param name="Nacks">Received.</param>
public sealed record ServeCounters(long StreamsOpened, long StreamsRefused, long StreamsFailed, long Responses, long Acks, long Nacks);

namespace Postern.Xds.Discovery.Protocol;

/// <summary>An ACK or NACK that waits to be sent.</summary>
/// <param name="Nonce">Of the response that is answered.</param>
/// <param name="Version">SotW: the last accepted one, that of the response itself when this is an ACK.</param>
/// <param name="Error">Makes it a NACK.</param>
internal readonly record struct Answer(string Nonce, string Version, Google.Rpc.Status? Error);

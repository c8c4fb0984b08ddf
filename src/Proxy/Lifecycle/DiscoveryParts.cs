using System;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Lifecycle;

/// <summary>What drives the server: made from the bootstrap once it is loaded.</summary>
/// <param name="Connect">Makes the subscriptions' carrier; the server disposes it.</param>
/// <param name="Decoder">Reads the state on disk; null keeps none.</param>
/// <param name="Time">Clock of discovery.</param>
internal sealed record DiscoveryParts(Func<BootstrapConfig, IDiscovery> Connect, IResourceDecoder? Decoder, TimeProvider Time);

using System;
using System.Collections.Generic;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Proxy.LastGood;

/// <summary>The last good resources of one type and source, as they are written to disk.</summary>
/// <param name="TypeUrl">Of all resources.</param>
/// <param name="NodeId">Of the node that they were sent to.</param>
/// <param name="Source">Who sent them, like <c>grpc xds-grpc-cilium</c>.</param>
/// <param name="Version">Of the last accepted update.</param>
/// <param name="Confirmed">When the control plane was last known to hold the same.</param>
/// <param name="Resources">All of them.</param>
internal sealed record SavedState(string TypeUrl, string NodeId, string Source, string Version, DateTimeOffset Confirmed, IReadOnlyList<SavedResource> Resources);

/// <summary>One resource, as received.</summary>
/// <param name="Name">Unique within the file.</param>
/// <param name="Version">Its own, or that of its response.</param>
/// <param name="Resource">The bytes.</param>
internal sealed record SavedResource(string Name, string Version, Any Resource);

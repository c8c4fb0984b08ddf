using System;
using System.Threading;

namespace Postern.Grpc;

/// <summary>Options of one call.</summary>
/// <param name="Headers">Request metadata, or null.</param>
/// <param name="Deadline">From now; sent as <c>grpc-timeout</c> and kept on this side too. Null is none.</param>
/// <param name="CancellationToken">Cancels the call: RST_STREAM with CANCEL.</param>
public readonly record struct CallOptions(Metadata? Headers = null, TimeSpan? Deadline = null, CancellationToken CancellationToken = default);

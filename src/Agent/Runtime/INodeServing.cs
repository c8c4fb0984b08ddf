using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Postern.Agent.Compile;
using Postern.Agent.Serve;

namespace Postern.Agent.Runtime;

/// <summary>Brings a node's resources to the proxy. One change at a time.</summary>
public interface INodeServing
{
    /// <summary>
    /// Publishes, and waits for the proxy's word. Listeners that rules in force may lead to stay until <see cref="Retire"/>.
    /// </summary>
    Task<ServingResult> ServeAsync(CompiledNode node, CancellationToken cancellationToken);

    /// <summary>Says that no rule leads any more to listeners which the last served node does not need.</summary>
    /// <returns>Whether there are any: serving once more takes them away, and frees their ports when the proxy has ACKed that.</returns>
    bool Retire();

    /// <summary>The port that a redirect's listener has or had last, or null; also before anything was served.</summary>
    ushort? PortOf(Redirect redirect);

    /// <summary>Streams of the proxy.</summary>
    IReadOnlyList<StreamStatus> ReadStreams();
}

/// <summary>What came of a change.</summary>
/// <param name="Outcome">In force; refused; or no word.</param>
/// <param name="Detail">Which type, and the text of the NACK; else empty.</param>
/// <param name="PortOf">The port of a redirect's listener, or null when it has none.</param>
public sealed record ServingResult(AckOutcome Outcome, string Detail, Func<Redirect, ushort?> PortOf);

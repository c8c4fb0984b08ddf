using System.Collections.Generic;
using Postern.Agent.Compile;

namespace Postern.Agent.Runtime;

/// <summary>Where the node's configuration comes from.</summary>
public interface INodeSource
{
    /// <summary>Reads all of it. What is bad keeps its last good form and is named in the problems.</summary>
    NodeReading Read();
}

/// <summary>What was read.</summary>
/// <param name="Node">Compiled; null when nothing good is known yet: what is in force then stays untouched.</param>
/// <param name="Problems">One line each, <c>FILE:LINE: …</c>.</param>
/// <param name="Policies">By name.</param>
public sealed record NodeReading(CompiledNode? Node, IReadOnlyList<string> Problems, IReadOnlyList<PolicyText> Policies);

/// <summary>A policy as it was written.</summary>
/// <param name="Name"><c>namespace/name</c>, or <c>/name</c> for a clusterwide one.</param>
/// <param name="Kind">CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy.</param>
/// <param name="Source"><c>FILE:LINE</c>.</param>
/// <param name="Yaml">Its document.</param>
public sealed record PolicyText(string Name, string Kind, string Source, string Yaml);

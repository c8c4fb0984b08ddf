using System.Collections.Generic;

namespace Postern.Agent.Doctor;

/// <summary>One group of findings. Pure: facts in, findings out.</summary>
public interface INodeCheck
{
    /// <summary>All it can find.</summary>
    IReadOnlyList<FindingKind> Kinds { get; }

    /// <summary>What it finds; at least one, so that the table shows that it was looked at.</summary>
    IEnumerable<Finding> Check(NodeFacts facts);
}

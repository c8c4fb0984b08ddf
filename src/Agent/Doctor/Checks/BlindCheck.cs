using System;
using System.Collections.Generic;

namespace Postern.Agent.Doctor.Checks;

/// <summary>What the doctor could not look at: its silence about that means nothing.</summary>
public sealed class BlindCheck : INodeCheck
{
    private static readonly FindingKind Fine = new("look.fine", FindingLevel.Ok, "everything could be looked at");
    private static readonly FindingKind Blind = new("look.blind", FindingLevel.Info, "could not be looked at: that nothing is said of it means nothing", "run as root in the network namespace of the node");

    public IReadOnlyList<FindingKind> Kinds => [Fine, Blind];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var any = false;
        foreach (var lines in new[] { facts.Network.Blind, facts.Bpf.Blind, facts.Blind })
        {
            foreach (var line in lines)
            {
                any = true;
                var colon = line.IndexOf(": ", StringComparison.Ordinal);
                yield return colon < 0 ? Blind.At("doctor", line) : Blind.At(line[..colon], line[(colon + 2)..]);
            }
        }
        if (!any)
        {
            yield return Fine.At("doctor", "nothing was hidden");
        }
    }
}

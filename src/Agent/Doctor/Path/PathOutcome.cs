using System.Collections.Generic;

namespace Postern.Agent.Doctor.Path;

/// <summary>What the steps come to. Pure.</summary>
internal static class PathOutcome
{
    private const int EndpointStep = 1;
    private const int PolicyStep = 8;

    /// <summary>The first step at which the packet goes astray, or null.</summary>
    public static PathStep? Astray(IReadOnlyList<PathStep> steps)
    {
        foreach (var step in steps)
        {
            if (step.State == StepState.Astray)
            {
                return step;
            }
        }
        return null;
    }

    /// <summary>
    /// The first step that could not be looked at and may hide that the packet goes astray, or null. Endpoint and policy are none of these: without an agent
    /// nobody knows them, and the packet is followed all the same.
    /// </summary>
    public static PathStep? Blind(IReadOnlyList<PathStep> steps)
    {
        foreach (var step in steps)
        {
            if (step is { State: StepState.Unseen, Number: not (EndpointStep or PolicyStep) })
            {
                return step;
            }
        }
        return null;
    }
}

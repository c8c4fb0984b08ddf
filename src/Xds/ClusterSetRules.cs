using System;
using System.Collections.Generic;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds;

/// <summary>What must hold between the clusters of a process, whatever source they come from.</summary>
public static class ClusterSetRules
{
    /// <summary>Names are unique.</summary>
    /// <param name="clusters">All of them, each validated on its own.</param>
    /// <returns>Null when all is well, else which cluster is at fault, the path below it and the reason.</returns>
    public static (int Index, string Path, string Reason)? FindProblem(IReadOnlyList<ClusterConfig> clusters)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < clusters.Count; i++)
        {
            if (!names.Add(clusters[i].Name))
            {
                return (i, "name", $"a second cluster named {Printable.Quote(clusters[i].Name)}");
            }
        }
        return null;
    }

    internal static void Check(IReadOnlyList<ClusterConfig> clusters, Func<int, ConfigPath> path)
    {
        if (FindProblem(clusters) is { } problem)
        {
            throw path(problem.Index).Field(problem.Path).Error(problem.Reason);
        }
    }
}

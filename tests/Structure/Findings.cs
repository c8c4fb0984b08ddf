using System;
using System.Collections.Generic;
using System.Linq;

namespace Postern.Tests.Structure;

/// <summary>Fails with every finding on a line of its own; xunit's own message would stop after a few.</summary>
internal static class Findings
{
    public static void None(IEnumerable<string> findings)
    {
        var all = findings.ToList();
        if (all.Count > 0)
        {
            Assert.Fail($"{all.Count} findings:{Environment.NewLine}{string.Join(Environment.NewLine, all)}");
        }
    }
}

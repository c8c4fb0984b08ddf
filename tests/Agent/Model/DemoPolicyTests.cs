using System;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Postern.Agent.Compile;
using Postern.Agent.Identities;
using Postern.Agent.Model;

namespace Postern.Tests.Agent.Model;

public sealed partial class DemoPolicyTests
{
    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block { get; }

    [SharedFact("specs/demos.md")]
    public void EveryDemoPolicy_LoadsAndCompiles()
    {
        var blocks = Block.Matches(File.ReadAllText(SharedFiles.Find("specs/demos.md")!)).Select(match => match.Groups[1].Value)
            .Where(text => text.Contains("kind: CiliumNetworkPolicy", StringComparison.Ordinal)).ToList();
        Assert.True(blocks.Count >= 10, $"only {blocks.Count} policies");
        foreach (var block in blocks)
        {
            var model = Texts.Read(block);
            Assert.True(model.Problems.Count == 0, block + model.Reasons());
            Assert.Single(model.Policies);
            new NodeCompiler(new IdentityAllocator()).Compile(model);
        }
    }
}

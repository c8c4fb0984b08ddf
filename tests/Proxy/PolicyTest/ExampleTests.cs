using System;
using System.IO;
using Postern.Proxy.PolicyTest;

namespace Postern.Tests.Proxy.PolicyTest;

/// <summary>The file that docs/policy-test.md tells people to copy.</summary>
public sealed class ExampleTests
{
    [Fact]
    public void ExampleOfTheDocuments_Passes()
    {
        var output = new StringWriter();
        var exit = PolicyTestCommand.Run(Path.Combine(Root(), "examples", "policy-test.json"), output, output);

        Assert.EndsWith("3 passed, 0 failed, 0 skipped" + Environment.NewLine, output.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, exit);
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Proxy.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("no folder above the tests holds Proxy.sln");
        }
        return folder;
    }
}

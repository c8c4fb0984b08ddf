using System.Collections.Generic;
using Postern.Agent.Supervise;

namespace Postern.Tests.Agent.Supervise;

public sealed class ProxyCommandTests
{
    [Fact]
    public void NothingSaid_TheProxyKeepsNoState() => Assert.Equal("", StateFolder([]));

    [Theory]
    [InlineData("--state-dir", "/kept")]
    [InlineData("--state-dir=/kept", null)]
    public void OperatorNamesAStateFolder_ItIsTheOnlyOne(string argument, string? value)
    {
        var arguments = Arguments(value is null ? [argument] : [argument, value]);

        Assert.Single(arguments, one => one.StartsWith("--state-dir", System.StringComparison.Ordinal));
        Assert.DoesNotContain("", arguments);
    }

    private static string StateFolder(string[] extra)
    {
        var arguments = new List<string>(Arguments(extra));
        return arguments[arguments.IndexOf("--state-dir") + 1];
    }

    private static IReadOnlyList<string> Arguments(string[] extra) => ProxyCommand.Of("/bin/postern", "/run/b.yaml", "/run", "/run/a.sock", extra).Arguments;
}

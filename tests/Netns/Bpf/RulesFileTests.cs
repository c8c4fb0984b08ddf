using System;
using System.IO;
using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Bpf;

/// <summary>The rules as text, for the next owner and the doctor.</summary>
public sealed class RulesFileTests : IDisposable
{
    private const string Rule = "port=80,proxy-port=15001";
    private const string Other = "port=81,proxy-port=15001";
    private readonly NetworkNamespace _node = new("node");
    private readonly EbpfRig _rig;

    public RulesFileTests()
    {
        _node.Ip("link add d0 type bridge");
        _rig = new EbpfRig(_node);
    }

    private string Rules => _node.Inside(() => RulesFile.PathIn(_rig.Options.LockDirectory));

    public void Dispose()
    {
        _rig.Dispose();
        _node.Dispose();
    }

    [NetnsFact]
    public void RulesInForce_AreWrittenBesideTheLockUntilRemoval()
    {
        _rig.Replace(Rule, Other);
        _rig.Replace(Other);

        Assert.Equal($"postern-rules 1 ebpf 1 1\n{Other}\n{Rule}\n", File.ReadAllText(Rules));
        Assert.Equal("600", _node.Run("stat", "-c", "%a", Rules).Output.Trim());
        _rig.Crash();
        _rig.Claim();
        Assert.True(File.Exists(Rules));
        _rig.Remove();
        Assert.False(File.Exists(Rules));

        _rig.Replace(Rule);
        _rig.Crash();
        Assert.True(_node.Inside(() => EbpfSteering.RemoveLeftovers(_rig.Options, _rig.Log.Enqueue)));
        Assert.False(File.Exists(Rules));
    }

    [NetnsTheory]
    [InlineData("a link")]
    [InlineData("a folder")]
    [InlineData("others may write")]
    [InlineData("another text")]
    [InlineData("a pipe")]
    public void RulesFileThatIsOdd_IsIgnoredInOneLineAndReplaced(string what)
    {
        var elsewhere = Rules + ".elsewhere";
        _rig.Replace(Rule);
        _rig.Crash();
        switch (what)
        {
            case "a link":
                File.Move(Rules, elsewhere);
                File.CreateSymbolicLink(Rules, elsewhere);
                break;
            case "others may write":
                _node.Run("chmod", "o+w", Rules).OrThrow();
                break;
            case "another text":
                File.AppendAllText(Rules, "x");
                break;
            default:
                File.Delete(Rules);
                _node.Run(what == "a pipe" ? "mkfifo" : "mkdir", Rules).OrThrow();
                break;
        }

        _rig.Claim();

        Assert.Single(_rig.Log, line => line.Contains(Rules + " is not used: ", StringComparison.Ordinal));
        Assert.Equal("d0", _rig.Devices);
        if (what == "a folder")
        {
            Directory.Delete(Rules);
        }

        _rig.Replace(Other);
        Assert.Equal($"postern-rules 1 ebpf 1 0\n{Other}\n", File.ReadAllText(Rules));
        Assert.Null(new FileInfo(Rules).LinkTarget);
        Assert.Equal("600", _node.Run("stat", "-c", "%a", Rules).Output.Trim());
        Assert.True(what != "a link" || File.ReadAllText(elsewhere).Contains(Rule, StringComparison.Ordinal));
    }

    [NetnsFact]
    public void RulesOfIptables_AreWrittenUntilRemoval()
    {
        var iptables = new IptablesSteering([], _rig.Options, _rig.Log.Enqueue);
        _node.Inside(() => iptables.Replace([SteeringRule.Parse(Rule)]));
        Assert.Equal($"postern-rules 1 iptables 1 0\n{Rule}\n", File.ReadAllText(Rules));

        _node.Inside(iptables.Remove);
        Assert.False(File.Exists(Rules));
        _node.Inside(() => iptables.Replace([SteeringRule.Parse(Rule)]));
        _node.Inside(iptables.Dispose);
        Assert.False(File.Exists(Rules));
    }

    [NetnsFact]
    public void RulesThatCannotBeWritten_AreInForceAllTheSameAndTheOldFileIsGone()
    {
        _rig.Replace(Rule);
        Directory.CreateDirectory(Path.Combine(Rules + ".new", "inner"));

        _rig.Replace(Other);

        Assert.True(_rig.Logged("cannot write " + Rules));
        Assert.False(File.Exists(Rules));
        Directory.Delete(Rules + ".new", recursive: true);
        _rig.Replace(Rule);
        Assert.Equal($"postern-rules 1 ebpf 1 1\n{Rule}\n{Other}\n", File.ReadAllText(Rules));
    }
}

using System;
using System.Collections.Generic;
using Postern.Agent.Api;
using Postern.Agent.Steer;
using Postern.Tproxy;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Agent.Steer;

public sealed class NodeSteeringTests : IDisposable
{
    private readonly List<string> log = [];
    private readonly FakeMode made = new();
    private int choices;

    // The agent never disposes its steering: that would remove it.
    public void Dispose()
    {
        Assert.DoesNotContain("dispose", made.Calls);
        made.Dispose();
    }

    [Fact]
    public void Auto_TheChoiceIsMadeOnceAndItsReasonStays()
    {
        var steering = Make(SteeringMode.Auto);
        Assert.Equal(("", ""), (steering.Mode, steering.Reason));

        steering.Claim();
        steering.Claim();
        made.Log("a device came");

        Assert.Equal(("iptables", "auto: iptables, because no BTF"), (steering.Mode, steering.Reason));
        Assert.Equal(1, choices);
        Assert.Equal(["steering: iptables, because no BTF", "a device came"], log);
        Assert.Equal(["claim", "claim"], made.Calls);
    }

    [Fact]
    public void ExplicitMode_TheReasonIsTheFlag()
    {
        var steering = Make(SteeringMode.Iptables);
        steering.Claim();
        Assert.Equal("--steering iptables", steering.Reason);
    }

    [Fact]
    public void ModeThatCannotBeHad_FailsTheClaimAndNothingIsRemoved()
    {
        var steering = new NodeSteering(SteeringMode.Ebpf, (_, _) => throw new TproxyException("no BTF"), log.Add);
        Assert.Equal("no BTF", Assert.Throws<TproxyException>(steering.Claim).Message);
        steering.Remove();
        Assert.Empty(steering.ReadDevices());
        Assert.Null(steering.ReadCounters());
    }

    [Theory]
    [InlineData("iptables", "POSTERN_PRE_mangle")]
    [InlineData("none", "does not steer")]
    public void NoCountersOfItsOwn_TheNoteSaysWhereToLook(string mode, string part)
    {
        INodeSteering steering = mode == "none" ? new NoSteering() : Make(SteeringMode.Iptables);
        if (mode != "none")
        {
            steering.Claim();
        }
        var view = SteeringCountersView.Of(steering);
        Assert.Empty(view.Counters);
        Assert.Equal(mode, view.Mode);
        Assert.Contains(part, view.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryCounter_MeansWhatTheDocumentSays()
    {
        var document = System.IO.File.ReadAllText(SharedFiles.InRepository("docs/steering.md"));
        Assert.All(Enum.GetValues<SteeringCounter>(), counter =>
            Assert.Contains($"\n| `{counter}` | {CounterMeaning.Of(counter).Verdict} | {CounterMeaning.Of(counter).When} |\n", document, StringComparison.Ordinal));
    }

    private NodeSteering Make(SteeringMode wanted) => new(
        wanted,
        (_, say) =>
        {
            choices++;
            made.Log = say;
            say("steering: iptables, because no BTF");
            return made;
        },
        log.Add);

    private sealed class FakeMode : ISteering
    {
        public List<string> Calls { get; } = [];

        public Action<string> Log { get; set; } = _ => { };

        public SteeringMode Mode => SteeringMode.Iptables;

        public void Claim() => Calls.Add("claim");

        public void Replace(IReadOnlyList<SteeringRule> next) => Calls.Add("replace");

        public void Remove() => Calls.Add("remove");

        public void Dispose() => Calls.Add("dispose");
    }
}

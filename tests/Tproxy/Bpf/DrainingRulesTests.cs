using System.Linq;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Bpf;

public sealed class DrainingRulesTests
{
    private static readonly SteeringRule A = Rule(1);
    private static readonly SteeringRule B = Rule(2);
    private static readonly SteeringRule C = Rule(3);

    [Fact]
    public void NothingWasInForce_NothingDrains() => Assert.Empty(DrainingRules.After([], [], [A]));

    [Fact]
    public void RuleThatGoes_Drains() => Assert.Equal([B], DrainingRules.After([], [A, B], [A]));

    [Fact]
    public void RulesThatWentBefore_ComeBehindThoseThatGoNow() => Assert.Equal([B, C], DrainingRules.After([C], [A, B], [A]));

    [Fact]
    public void RuleThatComesBack_DrainsNoMore() => Assert.Empty(DrainingRules.After([A], [], [A]));

    [Fact]
    public void RuleThatGoesAgain_IsThereOnceAndFirst() => Assert.Equal([A, B], DrainingRules.After([B, A], [A], []));

    [Fact]
    public void TwoOfTheSameGo_OneDrains() => Assert.Equal([A], DrainingRules.After([], [A, A], []));

    [Fact]
    public void ListIsFull_TheOldestGo()
    {
        var old = Enumerable.Range(1, DrainingRules.Most).Select(Rule).ToList();

        var next = DrainingRules.After(old, [Rule(DrainingRules.Most + 1)], []);

        Assert.Equal(DrainingRules.Most, next.Count);
        Assert.Equal(Rule(DrainingRules.Most + 1), next[0]);
        Assert.Equal(old[^2], next[^1]);
    }

    private static SteeringRule Rule(int port) => new(null, null, (ushort)port, (ushort)port, null, 15001);
}

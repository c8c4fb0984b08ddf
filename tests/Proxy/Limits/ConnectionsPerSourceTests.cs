using System.Collections.Generic;
using System.Net;
using System.Threading.Tasks;
using Postern.Proxy.Listeners;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Limits;

/// <summary><c>--max-connections-per-source</c>.</summary>
public sealed class ConnectionsPerSourceTests
{
    private static readonly IPAddress One = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress Other = IPAddress.Parse("fd00::1");

    [Fact]
    public void SourceWithItsShare_IsRefusedUntilOneIsGone()
    {
        var admission = new Admission(10, 2);
        Assert.Equal([Admitted.Yes, Admitted.Yes, Admitted.TooManyOfSource, Admitted.Yes], Enter(admission, One, One, One, Other));
        Assert.Equal((3, 2, 1, 0), (admission.Open, admission.Sources, admission.RefusedOfSource, admission.Refused));

        admission.Leave(One);

        Assert.Equal(Admitted.Yes, admission.TryEnter(IPAddress.Parse("10.0.0.1")));
    }

    [Fact]
    public void SourcesThatLeft_AreForgotten()
    {
        var admission = new Admission(100_000, 1);
        for (var i = 0; i < 50_000; i++)
        {
            var source = new IPAddress(i);
            Assert.Equal(Admitted.Yes, admission.TryEnter(source));
            admission.Leave(source);
        }
        Assert.Equal((0, 0), (admission.Open, admission.Sources));
    }

    [Fact]
    public void WithoutABound_NobodyIsCounted()
    {
        var admission = new Admission(10);
        Assert.Equal([Admitted.Yes, Admitted.Yes, Admitted.Yes], Enter(admission, One, One, One));
        Assert.Equal(0, admission.Sources);
    }

    [Fact]
    public void BoundOfAll_HoldsBesideIt()
    {
        var admission = new Admission(1, 5);
        Assert.Equal([Admitted.Yes, Admitted.TooMany], Enter(admission, One, Other));
        admission.Leave(One);
        Assert.Equal(Admitted.Yes, admission.TryEnter(Other));
    }

    [Fact]
    public async Task ConnectionTooMany_IsResetAndRecorded_OthersAreServed()
    {
        using var rig = new LimitRig(new Admission(100, 1));
        using var first = await rig.ConnectAsync();
        using var served = await rig.AcceptAsync();

        using var second = await rig.ConnectAsync();
        await LimitRig.AssertCutAsync(second);
        using var neighbour = await rig.ConnectAsync("127.0.0.2");
        using var servedToo = await rig.AcceptAsync();

        await Patience.UntilAsync(() => rig.Records.Seen.Count == 1, "one record", rig.Records.ToString);
        Assert.Equal("too_many_connections_of_source", rig.Records.Seen[0].Fields["reason"]);
        Assert.Contains("--max-connections-per-source", rig.Records.Seen[0].Fields["detail"], System.StringComparison.Ordinal);
        Assert.Equal((1, 2), (rig.Value(rig.Scope + ".downstream_cx_source_overflow"), rig.Value(rig.Scope + ".downstream_cx_total")));
    }

    [Fact]
    public async Task EndedConnection_MakesRoom()
    {
        using var rig = new LimitRig(new Admission(100, 1));
        for (var i = 0; i < 3; i++)
        {
            using (await rig.ConnectAsync())
            using (await rig.AcceptAsync())
            {
                Assert.Equal(1, rig.Admission.Sources);
            }
            await Patience.UntilAsync(() => rig.Admission.Sources == 0, "nobody to be counted", () => $"{rig.Admission.Sources} sources, {rig.Admission.Open} open");
        }
        Assert.Equal(0, rig.Admission.RefusedOfSource);
    }

    private static List<Admitted> Enter(Admission admission, params IPAddress[] sources)
    {
        var answers = new List<Admitted>();
        foreach (var source in sources)
        {
            answers.Add(admission.TryEnter(source));
        }
        return answers;
    }
}

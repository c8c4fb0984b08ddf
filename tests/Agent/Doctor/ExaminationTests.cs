using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Postern.Agent.Cli;
using Postern.Agent.Doctor;

namespace Postern.Tests.Agent.Doctor;

/// <summary>Each finding can be had, is documented, and is not had on a node where all is well.</summary>
public sealed partial class ExaminationTests
{
    [GeneratedRegex(@"^\| `([a-z]+\.[a-z0-9-]+)` \| (\w+) \| (.*) \| (.*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row { get; }

    public static TheoryData<string> Ids
    {
        get
        {
            var ids = new TheoryData<string>();
            foreach (var kind in Examination.Kinds)
            {
                ids.Add(kind.Id);
            }
            return ids;
        }
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void EveryFinding_IsProvokedByFacts(string id)
    {
        Assert.True(Provocations.All.TryGetValue(id, out var facts), $"{id} has no facts in Provocations that provoke it");
        var kind = Examination.Kinds.Single(one => one.Id == id);
        var found = Examination.Run(facts).Where(finding => finding.Id == id).ToList();
        Assert.NotEmpty(found);
        Assert.All(found, finding => Assert.Equal(kind.Level, finding.Level));
        Assert.All(found, finding => Assert.True(finding.Level < FindingLevel.Warning || finding.Mend is { Length: > 0 }, $"{id} says nothing of how to mend it"));
    }

    [Fact]
    public void Provocations_AreOfFindingsThatThereAre() => Assert.Equal(Examination.Kinds.Select(kind => kind.Id).Order(), Provocations.All.Keys.Order());

    [Fact]
    public void HealthyNode_HasNoProblem()
    {
        foreach (var facts in new[] { HealthyNode.Facts, HealthyNode.Ebpf })
        {
            Assert.DoesNotContain(Examination.Run(facts), finding => finding.Level >= FindingLevel.Warning);
        }
    }

    [Fact]
    public void SharedListener_IsFailureWhereEbpfCannotAssignIt()
    {
        var shared = HealthyNode.Ebpf with { Listeners = [HealthyNode.Listener, HealthyNode.Listener with { Inode = 8 }], Kernel = HealthyNode.Facts.Kernel with { Release = "6.1.0" } };
        Assert.Equal(FindingLevel.Failure, Examination.Run(shared).Single(finding => finding.Id == "listener.shared").Level);
    }

    [Fact]
    public void Document_ListsEveryFindingAsItIs()
    {
        var rows = Row.Matches(File.ReadAllText(SharedFiles.InRepository("docs/doctor.md"))).Select(row => (row.Groups[1].Value, row.Groups[2].Value, row.Groups[3].Value, row.Groups[4].Value));
        var kinds = Examination.Kinds.Select(kind => (kind.Id, kind.Level.ToString().ToLowerInvariant(), kind.Meaning, kind.Mend ?? "–"));
        Assert.Equal(kinds.Order(), rows.Order());
    }

    [Fact]
    public void Table_BeginsWithFailuresAndHoldsNoControlCharacters()
    {
        var facts = HealthyNode.Facts with { Listeners = [HealthyNode.Listener with { Transparent = false, Process = "evil\u001b[2J (pid 1)" }] };
        var all = Examination.Run(facts);
        var output = new StringWriter(CultureInfo.InvariantCulture);
        DoctorCommand.Write(all, all, output);
        var lines = output.ToString().Split('\n');
        Assert.StartsWith("FAILURE", lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output.ToString());
        Assert.Equal($"{all.Count} findings: 1 failures, 0 warnings.", lines[^2]);
    }
}

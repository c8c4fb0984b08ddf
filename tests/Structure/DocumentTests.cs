using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Postern.Tests.Structure;

/// <summary>The documents can be found, and what they point at is there.</summary>
public sealed partial class DocumentTests
{
    [GeneratedRegex(@"\]\(([^)#\s]+)[^)]*\)")]
    private static partial Regex Link { get; }

    // `src/Policy/IdentityMap.cs`, `docs/phases.md`, `eng/install.sh`: what begins with a folder of ours and holds neither * nor …
    [GeneratedRegex(@"`((?:src|tests|docs|eng|examples|demos)/[\w./-]*[\w/])`")]
    private static partial Regex QuotedPath { get; }

    private static IEnumerable<string> Documents => Repository.Files.Where(file => file.EndsWith(".md", StringComparison.Ordinal));

    [Fact]
    public void Architecture_IsShortEnoughToRead() => Assert.InRange(Repository.Lines("ARCHITECTURE.md").Length, 100, 600);

    [Fact]
    public void Document_IsLinkedFromReadmeOrArchitecture()
    {
        var linked = new HashSet<string>(LinksOf("README.md").Concat(LinksOf("ARCHITECTURE.md")), StringComparer.Ordinal);
        var lost = Documents.Where(file => file.StartsWith("docs/", StringComparison.Ordinal) && !linked.Contains(file) && !linked.Contains(Path.GetDirectoryName(file)!));
        Findings.None(lost);
    }

    [Fact]
    public void Link_LeadsToAFile()
    {
        var broken = Documents.SelectMany(file => LinksOf(file).Where(target => !Repository.Exists(target)).Select(target => $"{file} → {target}"));
        Findings.None(broken);
    }

    [Fact]
    public void QuotedPath_Exists()
    {
        var broken = new List<string>();
        foreach (var file in Documents)
        {
            broken.AddRange(QuotedPath.Matches(Repository.Read(file)).Select(match => match.Groups[1].Value).Where(path => !Repository.Exists(path)).Select(path => $"{file} → {path}"));
        }
        Findings.None(broken);
    }

    [Fact]
    public void PathInAComment_Exists()
    {
        var broken = new List<string>();
        foreach (var file in Repository.Sources().Concat(Repository.Files.Where(file => file.EndsWith(".props", StringComparison.Ordinal))))
        {
            foreach (Match match in Regex.Matches(Repository.Read(file), @"\bdocs/[\w/-]+\.md\b"))
            {
                if (!Repository.Exists(match.Value))
                {
                    broken.Add($"{file} → {match.Value}");
                }
            }
        }
        Findings.None(broken);
    }

    [Fact]
    public void Decision_IsNumberedOnce()
    {
        var decisions = Documents.Where(file => file.StartsWith("docs/decisions/", StringComparison.Ordinal)).Select(file => Path.GetFileName(file)).ToList();
        Assert.All(decisions, name => Assert.Matches(@"^\d{4}-[a-z0-9-]+\.md$", name));
        Assert.Equal(decisions.Count, decisions.Select(name => name[..4]).Distinct().Count());
    }

    private static IEnumerable<string> LinksOf(string file)
    {
        foreach (Match match in Link.Matches(Repository.Read(file)))
        {
            var target = match.Groups[1].Value;
            if (!target.Contains("://", StringComparison.Ordinal))
            {
                var path = Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(file)!, target));
                yield return Path.GetRelativePath(Repository.Root, path).TrimEnd('/');
            }
        }
    }
}

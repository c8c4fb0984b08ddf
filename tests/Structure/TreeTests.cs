using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Postern.Tests.Structure;

/// <summary>What must hold for the tree as a whole: it builds anywhere, and nothing in it is forgotten.</summary>
public sealed class TreeTests
{
    // Folders of one person's machine and hosts that packages come from. Written in two parts, so that this file does not name them.
    private static readonly string[] Places =
    [
        "/home" + @"/[a-z]", "/Users" + @"/[A-Za-z]", "/ro" + "ot/", "/tmp" + "/wt", @"(?<![\w.}/$""])/wo" + "rk/", @"[A-Z]:\\\\?Us" + "ers",
        "nuget" + @"\.org", "arti" + "factory", @"jf" + @"rog\.io", "nex" + "us[.:/]", @"npm" + @"js\.(org|com)", @"pypi" + @"\.org", @"pkgs\.dev\.az" + "ure",
    ];

    private static readonly HashSet<string> Top = new(StringComparer.Ordinal)
    {
        "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE", "README.md", "Proxy.sln", "Directory.Build.props", "Directory.Packages.props",
        "build.sh", "test.sh", "bench.sh", "demo.sh", ".editorconfig", ".gitignore",
    };

    [Fact]
    public void File_NamesNoMachineAndNoPackageHost()
    {
        var bad = new List<string>();
        var places = new Regex(string.Join('|', Places));
        foreach (var file in Repository.Files.Where(file => file != "LICENSE"))
        {
            var match = places.Match(Repository.Read(file));
            if (match.Success)
            {
                bad.Add($"{file}: {match.Value}");
            }
        }
        Findings.None(bad);
    }

    [Fact]
    public void TopLevel_HoldsWhatTheReadmeNames() =>
        Findings.None(Repository.Files.Where(file => !file.Contains('/', StringComparison.Ordinal) && !Top.Contains(file)));

    [Fact]
    public void Project_IsInTheSolution()
    {
        var solution = Repository.Read("Proxy.sln").Replace('\\', '/');
        var projects = Repository.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal));
        Findings.None(projects.Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Project_BuildsForOneFrameworkWithWarningsAsErrors()
    {
        var bad = Repository.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal))
            .Where(file => Regex.IsMatch(Repository.Read(file), "<(TargetFrameworks?|TreatWarningsAsErrors|NoWarn|Nullable|ImplicitUsings)>"));
        Findings.None(bad);
    }

    [Fact]
    public void Package_IsUsed()
    {
        var projects = string.Concat(Repository.Files.Where(file => Regex.IsMatch(file, @"\.csproj$|^Directory\.Build\.props$")).Select(Repository.Read));
        var versions = Regex.Matches(Repository.Read("Directory.Packages.props"), @"<PackageVersion Include=""([^""]+)""").Select(match => match.Groups[1].Value);
        Findings.None(versions.Where(name => !projects.Contains($"<PackageReference Include=\"{name}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Test_IsNamedForSituationAndOutcome()
    {
        var bad = new List<string>();
        foreach (var file in Repository.Sources("tests"))
        {
            var lines = Repository.Lines(file);
            for (var i = 0; i < lines.Length; i++)
            {
                if (!Regex.IsMatch(lines[i], @"^    \[(\w*Fact|\w*Theory)\b"))
                {
                    continue;
                }
                var at = i + 1;
                while (at < lines.Length && !Regex.IsMatch(lines[at], @"^    (public|internal) "))
                {
                    at++;
                }
                var name = Regex.Match(lines[Math.Min(at, lines.Length - 1)], @"(\w+)(<\w+>)?\(").Groups[1].Value;
                if (!Regex.IsMatch(name, "^[A-Z0-9][A-Za-z0-9]*_[A-Z0-9]"))
                {
                    bad.Add($"{file}:{at + 1}: {name}");
                }
            }
        }
        Findings.None(bad);
    }

    [Fact]
    public void Script_StopsAtTheFirstError()
    {
        var bad = Repository.Files.Where(file => file.EndsWith(".sh", StringComparison.Ordinal) || file == ".ci/run")
            .Where(file => Repository.Read(file) is var text && text.StartsWith("#!", StringComparison.Ordinal)
                && !text.Contains("set -euo pipefail", StringComparison.Ordinal) && !Regex.IsMatch(text, "(?m)^exec "));
        Findings.None(bad.Select(file => Path.GetFileName(file)));
    }
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Postern.Tests.Structure;

/// <summary>Where a type stands follows from its name, and the other way round.</summary>
public sealed partial class LayoutTests
{
    private const int CompanionLines = 30;

    /// <summary>Files that hold a second type longer than a companion may be, with the reason.</summary>
    private static readonly Dictionary<string, string> LongCompanions = new(StringComparer.Ordinal)
    {
        ["src/Proxy/Http/RouteTable.cs"] = "Route: a table and its rows are read together",
        ["src/Proxy/Http1/Http1Error.cs"] = "Http1Errors: the words for each error stand below the errors",
    };

    private static readonly HashSet<string> EmptyWords = new(StringComparer.OrdinalIgnoreCase)
    {
        "Common", "Helper", "Helpers", "Util", "Utils", "Utilities", "Manager", "Managers", "Misc", "Shared", "Core", "Base", "Interfaces", "Models", "Services",
    };

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine { get; }

    [Fact]
    public void Folder_IsTheNamespace()
    {
        var bad = new List<string>();
        foreach (var file in Repository.Sources())
        {
            var wanted = "Postern." + Path.GetDirectoryName(file)!["src/".Length..].Replace('/', '.');
            var found = NamespaceLine.Match(Repository.Read(file));
            if (Source.Types(file).Count > 0 && found.Groups[1].Value != wanted)
            {
                bad.Add($"{file}: namespace is '{found.Groups[1].Value}', its folder says {wanted}");
            }
        }
        Findings.None(bad);
    }

    // Below Protos the folders are those of the public message packages (envoy.config.core.v3).
    [Fact]
    public void FolderName_SaysWhatIsInIt() =>
        Findings.None(Repository.Files.Where(file => !file.StartsWith("src/Xds/Protos/", StringComparison.Ordinal)).SelectMany(file => file.Split('/')[..^1]).Distinct().Where(EmptyWords.Contains));

    [Fact]
    public void SourceFile_IsNamedForItsType()
    {
        var bad = new List<string>();
        foreach (var file in Repository.Sources())
        {
            // Type.Role.cs is a part of Type. A file without a type holds statements or attributes.
            var name = Path.GetFileName(file).Split('.')[0];
            var types = Source.Types(file);
            if (types.Count > 0 && types.All(type => type.Name != name))
            {
                bad.Add($"{file} holds {string.Join(", ", types.Select(type => type.Name))}");
            }
        }
        Findings.None(bad);
    }

    /// <summary>One idea a file: what stands beside the type that gives the name is small and belongs to it (an enum, a record of two fields).</summary>
    [Fact]
    public void SecondTypeOfAFile_IsSmall()
    {
        var bad = new List<string>();
        foreach (var file in Repository.Sources())
        {
            var name = Path.GetFileName(file).Split('.')[0];
            var longOnes = Source.Types(file).Where(type => type.Name != name && type.Length > CompanionLines).ToList();
            if (longOnes.Count > 0 && !LongCompanions.ContainsKey(file))
            {
                bad.AddRange(longOnes.Select(type => $"{file}: {type.Name} has {type.Length} lines, at most {CompanionLines} beside another type; give it a file"));
            }
            if (longOnes.Count == 0 && LongCompanions.ContainsKey(file))
            {
                bad.Add($"{file} needs no exception any more");
            }
        }
        Findings.None(bad);
    }
}

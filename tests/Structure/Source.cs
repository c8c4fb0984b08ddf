using System;
using System.Collections.Generic;
using System.Text.RegularExpressions;

namespace Postern.Tests.Structure;

/// <summary>
/// Reads C# as text, well enough for a code base that is formatted alike: namespaces are file-scoped, so a type that is not nested begins in
/// the first column, and so does the brace that ends it.
/// </summary>
internal static partial class Source
{
    /// <summary>A type that is not nested, and how many lines it takes.</summary>
    internal readonly record struct TopLevelType(string Name, int Length);

    [GeneratedRegex(@"^(?:(?:public|internal|file|static|sealed|abstract|partial|readonly|ref|unsafe) )*(?:class|struct|record struct|record class|record|interface|enum|delegate \S+) (\w+)")]
    private static partial Regex Declaration { get; }

    /// <summary>Lines without comments; strings stay.</summary>
    public static IEnumerable<(int Number, string Text)> Code(string file)
    {
        var lines = Repository.Lines(file);
        for (var i = 0; i < lines.Length; i++)
        {
            var text = lines[i];
            if (text.TrimStart().StartsWith("//", StringComparison.Ordinal))
            {
                continue;
            }
            var comment = text.IndexOf(" // ", StringComparison.Ordinal);
            yield return (i + 1, comment < 0 ? text : text[..comment]);
        }
    }

    public static List<TopLevelType> Types(string file)
    {
        var lines = Repository.Lines(file);
        var types = new List<TopLevelType>();
        for (var i = 0; i < lines.Length; i++)
        {
            var match = Declaration.Match(lines[i]);
            if (!match.Success)
            {
                continue;
            }
            var end = i;
            // "record A(int X);" ends in its own semicolon, everything else in a brace of the first column.
            var body = false;
            while (end < lines.Length - 1 && lines[end] != "}" && (body || !lines[end].EndsWith(';')))
            {
                end++;
                body |= lines[end] == "{";
            }
            types.Add(new TopLevelType(match.Groups[1].Value, end - i + 1));
            i = end;
        }
        return types;
    }
}

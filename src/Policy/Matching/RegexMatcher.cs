using System;
using System.Text;
using System.Text.RegularExpressions;
using Postern.Policy.Re2;

namespace Postern.Policy.Matching;

/// <summary>
/// An expression that is no plain comparison. Two automata: a small one for ASCII texts, which is what nearly every request has, and
/// one over UTF-8 bytes. Texts that are not ASCII are not judged in two cases: with a word boundary (.NET's <c>\b</c> knows Unicode words
/// while RE2's is ASCII, and the engine has no look-around to say so), and where <c>.</c> or <c>[^x]</c> under a large count makes the
/// automaton over bytes larger than the engine takes. Both automata are built when policy is compiled: a request never pays for it, and
/// never meets an expression that cannot be built.
/// </summary>
internal sealed class RegexMatcher : TextMatcher
{
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private readonly Regex ascii;
    private readonly Regex? bytes;

    /// <exception cref="Re2SyntaxException">The expression cannot be built.</exception>
    public RegexMatcher(Re2Node node)
    {
        ascii = TryBuild(node, Re2Alphabet.Ascii, out var problem) ?? throw TooLarge(problem);
        if (HasWordBoundary(node))
        {
            return;
        }
        bytes = TryBuild(node, Re2Alphabet.Utf8Bytes, out problem);
        if (bytes is null && NamesNonAscii(node))
        {
            throw TooLarge(problem);
        }
    }

    public override bool Matches(ReadOnlySpan<char> text) =>
        Ascii.IsValid(text) ? ascii.IsMatch(text) : bytes is not null && bytes.IsMatch(text);

    public override bool CanJudge(ReadOnlySpan<char> text) => bytes is not null || Ascii.IsValid(text);

    private static Re2SyntaxException TooLarge(string problem) =>
        new($"the expression is too large to run in linear time; lower the counts in {{n,m}} or narrow Unicode classes ({problem})");

    private static Regex? TryBuild(Re2Node node, Re2Alphabet alphabet, out string problem)
    {
        try
        {
            problem = "";
            return new Regex(Re2Emitter.Emit(node, alphabet), Options);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            problem = error.Message;
            return null;
        }
    }

    // True when some but not all characters beyond ASCII are meant, so that the author expects such texts.
    private static bool NamesNonAscii(Re2Node node)
    {
        if (!node.Set.IsAscii && node.Set.Ranges[^1] is not (< 0x81, CodePointSet.Last))
        {
            return true;
        }
        foreach (var child in node.Children)
        {
            if (NamesNonAscii(child))
            {
                return true;
            }
        }
        return false;
    }

    private static bool HasWordBoundary(Re2Node node)
    {
        if (node.Kind is Re2Kind.WordBoundary or Re2Kind.NotWordBoundary)
        {
            return true;
        }
        foreach (var child in node.Children)
        {
            if (HasWordBoundary(child))
            {
                return true;
            }
        }
        return false;
    }
}

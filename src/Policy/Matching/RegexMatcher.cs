using System;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using Postern.Policy.Re2;

namespace Postern.Policy.Matching;

/// <summary>
/// An expression that is no plain comparison. Two automata: a small one for ASCII texts, which is what nearly every request has, and
/// one over UTF-8 bytes, built when the first other text comes. .NET's <c>\b</c> knows Unicode words while RE2's is ASCII, and the
/// engine has no look-around to say so; with a word boundary, texts that are not ASCII are therefore not judged.
/// </summary>
internal sealed class RegexMatcher : TextMatcher
{
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private readonly Regex ascii;
    private readonly Lazy<Regex>? bytes;

    /// <exception cref="Re2SyntaxException">The expression cannot be built.</exception>
    public RegexMatcher(Re2Node node)
    {
        try
        {
            ascii = new Regex(Re2Emitter.Emit(node, Re2Alphabet.Ascii), Options);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            throw new Re2SyntaxException($"the expression cannot be run in linear time: {error.Message}");
        }
        if (!HasWordBoundary(node))
        {
            bytes = new Lazy<Regex>(() => new Regex(Re2Emitter.Emit(node, Re2Alphabet.Utf8Bytes), Options), LazyThreadSafetyMode.ExecutionAndPublication);
        }
    }

    public override bool Matches(ReadOnlySpan<char> text) =>
        Ascii.IsValid(text) ? ascii.IsMatch(text) : bytes is not null && bytes.Value.IsMatch(text);

    public override bool CanJudge(ReadOnlySpan<char> text) => bytes is not null || Ascii.IsValid(text);

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

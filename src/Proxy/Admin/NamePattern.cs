using System.Text;
using Microsoft.AspNetCore.Http;
using Postern.Policy;
using Postern.Policy.Config;

namespace Postern.Proxy.Admin;

/// <summary>A regular expression out of a query, in RE2's syntax and in linear time, over names.</summary>
internal sealed class NamePattern
{
    private const int MaxLength = 1024;

    private readonly TextPattern pattern;

    private NamePattern(TextPattern pattern) => this.pattern = pattern;

    /// <summary>The whole name must match (<c>name_regex</c>). Null when the parameter is missing or empty.</summary>
    /// <exception cref="BadQueryException">It is no expression.</exception>
    public static NamePattern? Whole(HttpContext context, string parameter) =>
        context.Parameter(parameter) is { Length: > 0 } text ? new NamePattern(Compile(parameter, text, text)) : null;

    /// <summary>Some part of the name must match (<c>filter</c>).</summary>
    /// <exception cref="BadQueryException">It is no expression.</exception>
    public static NamePattern? Part(HttpContext context, string parameter)
    {
        if (context.Parameter(parameter) is not { Length: > 0 } text)
        {
            return null;
        }
        Compile(parameter, text, text); // by itself first: a lone bracket must not pair with ours
        return new NamePattern(Compile(parameter, text, $"(?s:.*)(?:{text})(?s:.*)"));
    }

    /// <summary>Whether the name fits.</summary>
    public bool Matches(string name) => pattern.Matches(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(name)));

    private static TextPattern Compile(string parameter, string asked, string expression)
    {
        if (asked.Length > MaxLength)
        {
            throw new BadQueryException($"{parameter}: the expression is longer than {MaxLength} characters");
        }
        try
        {
            return TextPattern.Compile(new StringMatcherConfig(StringMatchKind.SafeRegex, expression, false));
        }
        catch (PolicyConfigException e)
        {
            throw new BadQueryException($"{parameter}: {OneLine.Of(e.Message)}");
        }
    }
}

using System;
using Postern.Policy.Config;
using Postern.Policy.Http;
using Postern.Policy.Matching;

namespace Postern.Policy;

/// <summary>A compiled header matcher for users outside policy (routes), with the same meaning as in an HTTP rule.</summary>
public sealed class RequestMatcher
{
    private readonly HeaderMatcher matcher;

    private RequestMatcher(HeaderMatcher matcher) => this.matcher = matcher;

    /// <summary>Compiles it.</summary>
    /// <exception cref="PolicyConfigException">The matcher is refused; the message says why.</exception>
    public static RequestMatcher Compile(HeaderMatcherConfig config)
    {
        try
        {
            return new RequestMatcher(new HeaderMatcher(config, TextMatcherCompiler.Compile));
        }
        catch (FieldException e)
        {
            throw new PolicyConfigException($"header matcher \"{config.Name}\": {e.Message}", e);
        }
    }

    /// <summary>Whether the request's header fits.</summary>
    public bool Matches(IHttpPolicyRequest request) => matcher.Matches(request);
}

/// <summary>A compiled StringMatcher for users outside policy.</summary>
public sealed class TextPattern
{
    private readonly TextMatcher matcher;

    private TextPattern(TextMatcher matcher) => this.matcher = matcher;

    /// <summary>Compiles it.</summary>
    /// <exception cref="PolicyConfigException">The pattern is refused; the message says why.</exception>
    public static TextPattern Compile(StringMatcherConfig config)
    {
        try
        {
            return new TextPattern(TextMatcherCompiler.Compile(config));
        }
        catch (FieldException e)
        {
            throw new PolicyConfigException(e.Message, e);
        }
    }

    /// <summary>Whether the text fits; Latin-1 widening of the bytes on the wire.</summary>
    public bool Matches(ReadOnlySpan<char> text) => matcher.CanJudge(text) && matcher.Matches(text);
}

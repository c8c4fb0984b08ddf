using Envoy.Type.Matcher.V3;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>Shape of metadata matchers. They are carried by no model yet, but a broken one must not pass as "has metadata rules".</summary>
internal static class MetadataMatchers
{
    /// <summary>Throws on a matcher that Envoy would refuse.</summary>
    public static void Check(MetadataMatcher matcher, ConfigPath path)
    {
        if (matcher.Filter.Length == 0)
        {
            throw path.Field("filter").Error("a metadata matcher needs a filter name");
        }
        if (matcher.Path.Count == 0)
        {
            throw path.Field("path").Error("a metadata matcher needs at least one path segment");
        }
        for (var i = 0; i < matcher.Path.Count; i++)
        {
            if (matcher.Path[i].Key.Length == 0)
            {
                throw path.Field("path").Item(i).Error("a path segment needs a key");
            }
        }
        Check(matcher.Value ?? throw path.Field("value").Error("a metadata matcher needs a value"), path.Field("value"));
    }

    private static void Check(ValueMatcher matcher, ConfigPath path)
    {
        switch (matcher.MatchPatternCase)
        {
            case ValueMatcher.MatchPatternOneofCase.None:
                throw path.Error("needs one of null_match, double_match, string_match, bool_match, present_match, list_match or or_match");
            case ValueMatcher.MatchPatternOneofCase.StringMatch:
                HeaderMatchers.ToConfig(matcher.StringMatch, path.Field("string_match"));
                break;
            case ValueMatcher.MatchPatternOneofCase.DoubleMatch when matcher.DoubleMatch.MatchPatternCase == DoubleMatcher.MatchPatternOneofCase.None:
                throw path.Field("double_match").Error("needs range or exact");
            case ValueMatcher.MatchPatternOneofCase.ListMatch:
                Check(
                    matcher.ListMatch.OneOf ?? throw path.Field("list_match").Error("needs one_of"),
                    path.Field("list_match").Field("one_of"));
                break;
            case ValueMatcher.MatchPatternOneofCase.OrMatch:
                var items = matcher.OrMatch.ValueMatchers;
                if (items.Count < 2)
                {
                    throw path.Field("or_match").Field("value_matchers").Error("needs at least two matchers");
                }
                for (var i = 0; i < items.Count; i++)
                {
                    Check(items[i], path.Field("or_match").Field("value_matchers").Item(i));
                }
                break;
        }
    }
}

using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Postern.Xds.Text;

/// <summary>The end of the stream in the middle of a value is an error of the text, not of the program.</summary>
internal static class ParserExtensions
{
    /// <summary>The event at hand, moving on behind it.</summary>
    public static ParsingEvent Take(this IParser parser)
    {
        if (parser.Current is null && !parser.MoveNext())
        {
            throw new YamlException("the text ends too early");
        }
        var current = parser.Current!;
        parser.MoveNext();
        return current;
    }
}

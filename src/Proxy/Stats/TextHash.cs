namespace Postern.Proxy.Stats;

/// <summary>A number for a text, so that a gauge can show that it changed and whether two proxies have the same. FNV-1a, cut to 53 bits: a double holds it exactly.</summary>
internal static class TextHash
{
    public static long Of(string text)
    {
        if (text.Length == 0)
        {
            return 0;
        }
        var hash = 14695981039346656037UL;
        foreach (var value in System.Text.Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ value) * 1099511628211UL;
        }
        return (long)(hash >> 11);
    }
}

namespace Postern.Xds.Text;

/// <summary>What to say about a <c>@type</c> that is not built in.</summary>
internal static class UnknownType
{
    /// <summary>One line for the error.</summary>
    public static string Explain(string fullName)
    {
        var near = NearMiss.Find(fullName, MessageTypes.Names);
        var mend = near is null ? "docs/config.md lists what is built in" : $"did you mean type.googleapis.com/{Printable.Clip(near)}?";
        return $"unknown type {Printable.Quote(fullName)}; {mend}";
    }
}

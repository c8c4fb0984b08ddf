using System.Text.Json;

namespace Postern.Tests.Netns.Proxy;

/// <summary>Members of a record.</summary>
internal static class RecordMembers
{
    /// <summary>A string member, dotted for http's; empty if absent.</summary>
    internal static string Text(this JsonElement record, string path)
    {
        foreach (var name in path.Split('.'))
        {
            if (!record.TryGetProperty(name, out record))
            {
                return "";
            }
        }
        return record.ToString();
    }
}

using System.Collections.Generic;

namespace Postern.Policy;

/// <summary>What header_matches noted about one request. Names are lower case; values of secrets are <c>[redacted]</c>; equal pairs stand once.</summary>
public sealed class HeaderMatchLog
{
    private readonly List<KeyValuePair<string, string>> missing = [];
    private readonly List<KeyValuePair<string, string>> rejected = [];
    private readonly List<string> secretHeaders = [];

    /// <summary>Headers that were missing, or added.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Missing => missing;

    /// <summary>Headers that were refused, removed or replaced.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Rejected => rejected;

    /// <summary>Headers that a rule compares with a secret, whatever came of it: their values are not for records.</summary>
    public IReadOnlyList<string> SecretHeaders => secretHeaders;

    /// <summary>Forgets everything, keeps the memory.</summary>
    public void Clear()
    {
        missing.Clear();
        rejected.Clear();
        secretHeaders.Clear();
    }

    internal void AddSecretHeader(string name)
    {
        if (!secretHeaders.Contains(name))
        {
            secretHeaders.Add(name);
        }
    }

    internal void AddMissing(string name, string value) => AddOnce(missing, name, value);

    internal void AddRejected(string name, string value) => AddOnce(rejected, name, value);

    private static void AddOnce(List<KeyValuePair<string, string>> list, string name, string value)
    {
        var pair = KeyValuePair.Create(name, value);
        if (!list.Contains(pair))
        {
            list.Add(pair);
        }
    }
}

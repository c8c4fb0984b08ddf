using System;
using System.IO;
using System.Security.Cryptography;

namespace Postern.Agent.Identities;

/// <summary>
/// Names one numbering of identities. It is part of the proxy's node id, because the proxy keeps on disk what it was told, and does not use what was
/// meant for another node: policies that mean the numbers of before must not meet addresses that bear the new ones.
/// </summary>
internal static class Numbering
{
    private const int Length = 12;

    /// <summary>The name in the state folder, or a new one when the numbers are given anew. Never throws: a name that is not kept only makes the proxy forget.</summary>
    /// <param name="folder">The state folder.</param>
    /// <param name="isRestored">Whether numbers are those of the agent before.</param>
    public static string Of(string folder, bool isRestored)
    {
        var path = Path.Combine(folder, "numbering");
        try
        {
            if (isRestored && File.Exists(path) && File.ReadAllText(path) is { Length: Length } kept && Array.TrueForAll(kept.ToCharArray(), char.IsAsciiHexDigitLower))
            {
                return kept;
            }
            File.Delete(path); // first: a write that fails must not leave the old name
            var name = RandomNumberGenerator.GetHexString(Length, lowercase: true);
            File.WriteAllText(path, name);
            return name;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return RandomNumberGenerator.GetHexString(Length, lowercase: true);
        }
    }
}

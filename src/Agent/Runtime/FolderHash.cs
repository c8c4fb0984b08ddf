using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Agent.Runtime;

/// <summary>Tells whether the files of a folder say the same as before.</summary>
internal static class FolderHash
{
    private const long LargestFile = 16 << 20; // larger ones are refused by the reader

    /// <summary>Of names and contents, wherever the folder lies; null when something cannot be read now.</summary>
    public static string? Of(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            var files = new List<string>();
            foreach (var file in Directory.EnumerateFiles(folder))
            {
                if (Counts(file))
                {
                    files.Add(file);
                }
            }
            files.Sort(StringComparer.Ordinal);
            foreach (var file in files)
            {
                hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(file) + "\n"));
                using var content = File.OpenRead(file);
                hash.AppendData(SHA256.HashData(content.Length <= LargestFile ? content : new MemoryStream(BitConverter.GetBytes(content.Length))));
            }
            return Convert.ToHexString(hash.GetHashAndReset());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether the agent reads a file of that name.</summary>
    public static bool Counts(string file) =>
        Path.GetFileName(file)[0] != '.' && Path.GetExtension(file).ToLowerInvariant() is (".yaml" or ".yml" or ".json");
}

using System;
using System.IO;
using System.Security.Cryptography;

namespace Postern.Agent.Identities;

/// <summary>
/// Names one numbering of identities, and says whether it goes on. It is part of the proxy's node id: a proxy does not use what it kept on disk for
/// another node, so that policies which mean the numbers of before do not meet addresses that bear new ones.
/// The name lies in the runtime folder, beside the record of the proxy that is spoken to under it, with the digest of the numbers that were told. An agent
/// that finds other numbers, or no name, has a state folder that was lost, or restored from a time before; what its numbers mean now is not what the proxy knows.
/// </summary>
internal sealed class Numbering
{
    private const int Length = 12;

    private readonly string path;

    /// <param name="runtimeFolder">Where the name lies; exists.</param>
    /// <param name="digest">Of the numbers to go on from; null when they are given anew.</param>
    public Numbering(string runtimeFolder, string? digest)
    {
        path = Path.Combine(runtimeFolder, "numbering");
        var kept = digest is null ? null : Read(path, digest);
        IsKept = kept is not null;
        Name = kept ?? RandomNumberGenerator.GetHexString(Length, lowercase: true);
    }

    /// <summary>12 hexadecimal digits.</summary>
    public string Name { get; }

    /// <summary>Whether numbers mean what the agent before told its proxy.</summary>
    public bool IsKept { get; }

    /// <summary>To be called before anybody is told of numbers that were saved.</summary>
    /// <param name="digest">Of the saved numbers.</param>
    /// <exception cref="IOException">It cannot be written; the next agent then starts a new numbering, as the digest does not fit.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public void Keep(string digest)
    {
        // Torn by a crash it fits nothing.
        File.WriteAllText(path, Line(Name, digest));
    }

    private static string? Read(string path, string digest)
    {
        try
        {
            var text = File.Exists(path) ? File.ReadAllText(path) : string.Empty;
            var name = text.Length > Length ? text[..Length] : string.Empty;
            return name.Length == Length && Array.TrueForAll(name.ToCharArray(), char.IsAsciiHexDigitLower) && text == Line(name, digest) ? name : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Line(string name, string digest) => $"{name} {digest}\n";
}

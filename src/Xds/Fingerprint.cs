using System;
using System.IO;

namespace Postern.Xds;

/// <summary>What can be told of a file without reading it. Equal fingerprints do not prove equal content; different ones prove a change.</summary>
internal readonly record struct Fingerprint(bool Exists, string Target, long Length, DateTime Written)
{
    /// <summary>Of what the path leads to now.</summary>
    public static Fingerprint Of(string path)
    {
        try
        {
            var info = new FileInfo(path);
            var target = info.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? info;
            return target.Exists ? new Fingerprint(true, Canonical(target.FullName), target.Length, target.LastWriteTimeUtc) : default;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    // ResolveLinkTarget follows the last part of the path only; a link in the middle (..data) shows here.
    private static string Canonical(string file)
    {
        var directory = Path.GetDirectoryName(file);
        return directory is { Length: > 1 } && new DirectoryInfo(directory).ResolveLinkTarget(returnFinalTarget: true) is { } real
            ? Path.Combine(real.FullName, Path.GetFileName(file))
            : file;
    }
}

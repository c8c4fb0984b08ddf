using System;
using System.IO;

namespace Postern.Agent.Runtime;

/// <summary>A copy of the agent's folder as it was when it had no problem. Only its owner may read it: secrets lie in there.</summary>
/// <param name="path">Where.</param>
internal sealed class LastGoodFolder(string path)
{
    private readonly string before = path + ".old";

    /// <summary>Where to read it: a crash between two renames leaves the one before.</summary>
    public string Path => Directory.Exists(path) ? path : before;

    public bool Exists => Directory.Exists(Path);

    /// <param name="folder">What to copy.</param>
    /// <param name="hash">Its <see cref="FolderHash"/> when it was found good; a folder that has another one by now is not remembered.</param>
    /// <exception cref="IOException">It cannot be written; the copy before stays.</exception>
    public void Replace(string folder, string hash)
    {
        var fresh = path + ".new";
        Remove(fresh);
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(fresh);
        }
        else
        {
            Directory.CreateDirectory(fresh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            if (FolderHash.Counts(file))
            {
                File.Copy(file, System.IO.Path.Combine(fresh, System.IO.Path.GetFileName(file)));
            }
        }
        if (FolderHash.Of(fresh) != hash)
        {
            Remove(fresh);
            return;
        }
        if (Directory.Exists(path))
        {
            Remove(before);
            Directory.Move(path, before);
        }
        Directory.Move(fresh, path);
        Remove(before);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

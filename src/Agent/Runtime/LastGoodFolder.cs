using System;
using System.IO;

namespace Postern.Agent.Runtime;

/// <summary>A copy of the agent's folder as it was when it had no problem. Only its owner may read it: secrets lie in there.</summary>
/// <param name="path">Where.</param>
internal sealed class LastGoodFolder(string path)
{
    public string Path => path;

    public bool Exists => Directory.Exists(path);

    /// <exception cref="IOException">It cannot be written; the copy before may be gone.</exception>
    public void Replace(string folder)
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
        Remove(path);
        Directory.Move(fresh, path);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

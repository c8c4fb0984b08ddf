using System;
using System.IO;

namespace Postern.Tproxy.Steering;

/// <summary>Who has a file open, for messages about lock files. Reads all of <c>/proc</c>: for once, at a start that is refused.</summary>
public static class OpenFile
{
    /// <summary>"pid 12 (postern-agent)" of another process that has it open; null if there is none, or none that this user and process namespace can see.</summary>
    /// <param name="path">Full, without symbolic links.</param>
    public static string? HolderOf(string path)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(process), out var pid) && pid != Environment.ProcessId && Has(process, path))
            {
                return $"pid {pid} ({NameOf(process)})";
            }
        }

        return null;
    }

    private static bool Has(string process, string path)
    {
        try
        {
            foreach (var descriptor in Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")))
            {
                if (new FileInfo(descriptor).LinkTarget == path)
                {
                    return true;
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It has ended, or is another user's.
        }

        return false;
    }

    private static string NameOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "comm")).TrimEnd();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "ended just now";
        }
    }
}

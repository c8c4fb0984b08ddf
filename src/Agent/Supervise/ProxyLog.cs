using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Postern.Agent.Supervise;

/// <summary>
/// The file that the proxy's outputs go to. A file and no pipe: it goes on taking lines when the agent is gone, and a full pipe would stop the proxy.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="maxBytes">A launch moves a longer file to <c>PATH.1</c>.</param>
public sealed class ProxyLog(string path, long maxBytes = 10 * 1024 * 1024)
{
    private const int TailBytes = 16 * 1024;
    private const int LongestLine = 400;

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Called before a launch: nobody writes then.</summary>
    public void RotateIfLong()
    {
        var file = new FileInfo(path);
        if (file.Exists && file.Length > maxBytes)
        {
            file.MoveTo(path + ".1", overwrite: true);
        }
    }

    /// <summary>The last lines, oldest first, control characters replaced.</summary>
    public IReadOnlyList<string> Tail(int lines)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(-Math.Min(file.Length, TailBytes), SeekOrigin.End);
            var bytes = new byte[TailBytes];
            var all = Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            var tail = new List<string>();
            foreach (var line in all.AsSpan(Math.Max(0, all.Length - lines)))
            {
                tail.Add(Clean(line));
            }
            return tail;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string Clean(string line)
    {
        var text = new StringBuilder(Math.Min(line.Length, LongestLine));
        foreach (var c in line.AsSpan(0, Math.Min(line.Length, LongestLine)))
        {
            text.Append(char.IsControl(c) ? ' ' : c);
        }
        return text.ToString();
    }
}

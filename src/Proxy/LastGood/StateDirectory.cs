using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Proxy.LastGood;

#pragma warning disable CA1416 // Linux only, as all of Postern

/// <summary>The folder with the state files: one for each type and source, written beside and renamed, readable by the proxy's user only.</summary>
internal sealed class StateDirectory
{
    private const UnixFileMode OnlyUs = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string path;

    private StateDirectory(string path) => this.path = path;

    /// <summary>Opens it, making it where it is missing.</summary>
    /// <exception cref="IOException">Cannot be made or written to, or could be written to by others, whose policy must not become ours.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static StateDirectory Open(string path)
    {
        Directory.CreateDirectory(path, OnlyUs | UnixFileMode.UserExecute);
        var mode = File.GetUnixFileMode(path);
        if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
        {
            throw new IOException($"others may write to it (mode {Convert.ToString((int)mode, 8)}), and what they put there would become policy; chmod go-w, or name a folder below it, which is made with mode 700");
        }
        var probe = Path.Combine(path, $".probe-{Environment.ProcessId}");
        File.Delete(probe); // of a process of that id that was killed
        using (new FileStream(probe, Options()))
        {
        }
        File.Delete(probe);
        return new StateDirectory(path);
    }

    /// <summary>The file of a type and source.</summary>
    public string FileOf(string shortName, string source) =>
        Path.Combine(path, $"{shortName.ToLowerInvariant()}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)).AsSpan(0, 4))}.state");

    /// <summary>Replaces a file: after a crash there is the old one or the new one.</summary>
    /// <exception cref="IOException">Disk full, read-only, gone.</exception>
    public static void Write(string file, byte[] bytes)
    {
        var beside = file + ".new";
        try
        {
            File.Delete(beside); // of a crash
            using (var stream = new FileStream(beside, Options()))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }
            File.Move(beside, file, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    /// <summary>Writes over the beginning of a file that is there.</summary>
    /// <exception cref="IOException">See <see cref="Write"/>.</exception>
    public static void Overwrite(string file, byte[] head)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stream.Write(head);
    }

    /// <summary>The file's bytes, or null when there is none.</summary>
    /// <exception cref="StateFileException">Too large.</exception>
    /// <exception cref="IOException">Cannot be read.</exception>
    public static byte[]? Read(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (stream.Length > StateFile.MaxBytes)
            {
                throw new StateFileException($"has {stream.Length} bytes, more than {StateFile.MaxBytes}");
            }
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    // CreateNew follows no link.
    private static FileStreamOptions Options() =>
        new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, UnixCreateMode = OnlyUs, BufferSize = 0 };
}

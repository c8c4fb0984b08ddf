using System;
using System.IO;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Postern.Tproxy.Native;

#pragma warning disable CA1416 // Linux only, as all of Postern

namespace Postern.Tproxy.Steering;

/// <summary>
/// <c>steering-NETNS.rules</c> beside the steering lock: what the kernel has in force, as text. Maps cannot be read back to rules; the next owner needs them to
/// let connections drain, and the doctor to follow a packet. The lock's owner writes it, so there is one writer. It is knowledge only: what goes wrong with it
/// goes to the log.
/// </summary>
internal static class RulesFile
{
    private const long MostBytes = 32L * 1024 * 1024;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    internal static string PathIn(string directory) => Path.Combine(directory, $"steering-{SteeringLock.NamespaceNumber()}.rules");

    /// <summary>Takes the place of the one before at once; where that fails it goes, for an old one tells what is not so.</summary>
    internal static void Write(SteeringOptions options, KnownRules rules, Action<string> log)
    {
        var path = PathIn(options.LockDirectory);
        if (rules.InForce.Count > KnownRulesText.MostRules || rules.Draining.Count > KnownRulesText.MostRules)
        {
            Remove(options, log);
            log($"steering: {path} is not written: it holds {KnownRulesText.MostRules} rules at most; the next start and the doctor will not know those in force");
            return;
        }

        var fresh = path + ".new";
        try
        {
            File.Delete(fresh);
            // A new file, so that what lies in its place, a link to elsewhere, say, is not written to. A rename follows no link either.
            using (var file = new FileStream(fresh, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private }))
            {
                file.Write(Encoding.ASCII.GetBytes(KnownRulesText.Format(rules)));
            }

            File.Move(fresh, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            log($"steering: cannot write {path}: {error.Message}; the next start and the doctor will not know the rules in force");
            Remove(options, log);
        }
    }

    /// <summary>Null if there is none, or none that can be trusted; the latter is logged in one line.</summary>
    internal static KnownRules? Read(SteeringOptions options, Action<string> log)
    {
        var path = PathIn(options.LockDirectory);
        try
        {
            using var file = Libc.OpenNoFollow(path);
            if (file is null)
            {
                return null;
            }

            return KnownRulesText.Parse(Text(file));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or NotSupportedException)
        {
            log($"steering: {path} is not used: {error.Message}; the rules of an earlier run are not known as text");
            return null;
        }
    }

    internal static void Remove(SteeringOptions options, Action<string> log)
    {
        var path = PathIn(options.LockDirectory);
        try
        {
            File.Delete(path);
            File.Delete(path + ".new");
        }
        catch (DirectoryNotFoundException)
        {
            // What is to be gone is gone.
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            log($"steering: cannot delete {path}: {error.Message}; delete it, for it tells of rules that are gone");
        }
    }

    private static string Text(SafeFileHandle file)
    {
        const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if ((File.GetUnixFileMode(file) & Others) != 0)
        {
            throw new FormatException("others may write to it");
        }

        var length = RandomAccess.GetLength(file);
        if (length > MostBytes)
        {
            throw new FormatException($"it is longer than {MostBytes} bytes");
        }

        var bytes = new byte[length];
        var read = 0;
        while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is var count and > 0)
        {
            read += count;
        }

        return read == bytes.Length && Ascii.IsValid(bytes) ? Encoding.ASCII.GetString(bytes) : throw new FormatException("it is not ASCII text");
    }
}

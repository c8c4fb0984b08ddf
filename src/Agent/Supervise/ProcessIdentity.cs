using System;
using System.Globalization;
using System.IO;

namespace Postern.Agent.Supervise;

/// <summary>A process that cannot be mistaken for another that got its id later.</summary>
/// <param name="Pid">Process id.</param>
/// <param name="StartTicks">Start in clock ticks after boot, field 22 of <c>/proc/PID/stat</c>.</param>
/// <param name="BootId">Which boot: after a reboot ids and ticks begin anew.</param>
public sealed record ProcessIdentity(int Pid, ulong StartTicks, string BootId)
{
    /// <summary>Of a process that lives, or null. A zombie does not.</summary>
    public static ProcessIdentity? Of(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
            // The name in parentheses may hold anything, blanks and parentheses too.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields.Length > 19 && fields[0] is not ("Z" or "X") && ulong.TryParse(fields[19], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
                ? new ProcessIdentity(pid, ticks, File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim())
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether this very process still lives.</summary>
    public bool IsAlive => Of(Pid) == this;

    /// <summary>What it runs, or null: <c>/proc/PID/exe</c>, also after the file was replaced by a new build.</summary>
    public string? Executable
    {
        get
        {
            try
            {
                const string Deleted = " (deleted)";
                var target = new FileInfo($"/proc/{Pid.ToString(CultureInfo.InvariantCulture)}/exe").LinkTarget;
                return target is not null && target.EndsWith(Deleted, StringComparison.Ordinal) ? target[..^Deleted.Length] : target;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }
}

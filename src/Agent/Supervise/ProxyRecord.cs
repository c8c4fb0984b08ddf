using System;
using System.IO;
using System.Text.Json;

namespace Postern.Agent.Supervise;

/// <summary>The file by which the next agent finds the proxy of this one. Lies in the runtime folder, which a reboot empties.</summary>
/// <param name="path">The file.</param>
public sealed class ProxyRecord(string path)
{
    /// <summary>Writes it: whole or not at all.</summary>
    public void Write(ProcessIdentity identity)
    {
        var fresh = path + ".new";
        File.WriteAllText(fresh, JsonSerializer.Serialize(identity));
        File.Move(fresh, path, overwrite: true);
    }

    /// <summary>What it names, or null when it is missing or unreadable.</summary>
    public ProcessIdentity? Read()
    {
        try
        {
            return JsonSerializer.Deserialize<ProcessIdentity>(File.ReadAllText(path)) is { Pid: > 1, BootId: not null } identity ? identity : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Takes it away.</summary>
    public void Delete() => File.Delete(path);
}

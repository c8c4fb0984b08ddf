using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;

namespace Postern.Agent.Envoy;

/// <summary>The state file of <see cref="ProxyPorts"/>: a JSON object, port by name. What cannot be used is passed over, with a line in the log.</summary>
internal static class ProxyPortsFile
{
    private const int LargestFile = 1024 * 1024;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static SortedDictionary<string, ushort> Read(ProxyPortsOptions options)
    {
        var result = new SortedDictionary<string, ushort>(StringComparer.Ordinal);
        if (options.StateFile is not { } path || !File.Exists(path))
        {
            return result;
        }
        try
        {
            if (new FileInfo(path).Length > LargestFile)
            {
                throw new JsonException($"larger than {LargestFile} bytes");
            }
            var taken = new HashSet<ushort>();
            foreach (var (name, port) in JsonSerializer.Deserialize<Dictionary<string, ushort>>(File.ReadAllBytes(path)) ?? [])
            {
                if (name.Length > 0 && port >= options.First && port <= options.Last && taken.Add(port))
                {
                    result.Add(name, port);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            options.Log($"proxy ports: {path} cannot be used: {e.Message}; listeners get new ports");
            result.Clear();
        }
        return result;
    }

    // Beside it and renamed: a crash leaves the old file or the new one.
    public static void Write(ProxyPortsOptions options, SortedDictionary<string, ushort> ports)
    {
        if (options.StateFile is not { } path)
        {
            return;
        }
        try
        {
            var fresh = path + ".new";
            File.WriteAllBytes(fresh, JsonSerializer.SerializeToUtf8Bytes(ports, Indented));
            File.Move(fresh, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            options.Log($"proxy ports: {path} cannot be written: {e.Message}; after a restart listeners get new ports");
        }
    }
}

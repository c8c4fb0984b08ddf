using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Diagnosis;

/// <summary>Looks at the kernel and at this process, and changes nothing.</summary>
public static class KernelDiagnosis
{
    private const int LargestConfig = 4 * 1024 * 1024;
    private static readonly string[] Commands = ["ip", "iptables", "iptables-restore", "ip6tables", "ip6tables-restore"];

    /// <summary>A snapshot.</summary>
    public static KernelFacts Read(SteeringOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var release = Text("/proc/sys/kernel/osrelease")?.Trim() ?? string.Empty;
        var missing = new List<string>();
        foreach (var command in Commands)
        {
            if (CommandRunner.Find(command) is null)
            {
                missing.Add(command);
            }
        }

        return new KernelFacts
        {
            Release = release,
            Config = Config(release),
            HasBtf = File.Exists("/sys/kernel/btf/vmlinux"),
            Capabilities = Capabilities(Text("/proc/thread-self/status") ?? string.Empty),
            Modules = FirstWords("/proc/modules"),
            Xtables = FirstWords("/proc/thread-self/net/ip_tables_targets", "/proc/thread-self/net/ip_tables_matches"),
            LibbpfFault = LibbpfFault(),
            BpfMount = BpfMount(Text("/proc/thread-self/mountinfo") ?? string.Empty, options.BpfRoot),
            MissingCommands = missing,
        };
    }

    /// <summary>The mount point of the BPF file system that <paramref name="root"/> lies in, or null.</summary>
    internal static string? BpfMount(string mountinfo, string root)
    {
        foreach (var line in mountinfo.Split('\n'))
        {
            // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
            var separator = line.IndexOf(" - ", StringComparison.Ordinal);
            var fields = line.Split(' ');
            if (separator > 0 && fields.Length > 5 && line.AsSpan(separator + 3).StartsWith("bpf ", StringComparison.Ordinal)
                && (root == fields[4] || root.StartsWith(fields[4] + "/", StringComparison.Ordinal)))
            {
                return fields[4];
            }
        }

        return null;
    }

    internal static ulong Capabilities(string status)
    {
        const string Name = "\nCapEff:";
        var at = status.IndexOf(Name, StringComparison.Ordinal);
        var end = at < 0 ? -1 : status.IndexOf('\n', at + 1);
        return end > 0 && ulong.TryParse(status.AsSpan(at + Name.Length, end - at - Name.Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits) ? bits : 0;
    }

    private static string? Config(string release)
    {
        try
        {
            if (File.Exists("/proc/config.gz"))
            {
                using var packed = new GZipStream(File.OpenRead("/proc/config.gz"), CompressionMode.Decompress);
                using var reader = new StreamReader(packed);
                var text = new char[LargestConfig];
                return new string(text, 0, reader.ReadBlock(text, 0, text.Length));
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // As if it were not kept.
        }

        return Text("/boot/config-" + release);
    }

    private static string? LibbpfFault()
    {
        if (!NativeLibrary.TryLoad("libbpf.so.1", out var library))
        {
            return "libbpf.so.1 is not found by the loader";
        }

        NativeLibrary.Free(library);
        return null;
    }

    private static HashSet<string> FirstWords(params string[] files)
    {
        var words = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            foreach (var line in (Text(file) ?? string.Empty).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                words.Add(line.Split(' ')[0]);
            }
        }

        return words;
    }

    private static string? Text(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

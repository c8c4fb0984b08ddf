using System;
using System.IO;
using System.Runtime.InteropServices;
using Postern.Tproxy.Native;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>The file system in which pins outlive the process.</summary>
internal static class BpfFileSystem
{
    private const long Magic = 0xcafe4a11; // BPF_FS_MAGIC

    internal static bool IsAt(string path)
    {
        Span<byte> buffer = stackalloc byte[256];
        return Libc.StatFs(path, buffer) == 0 && (nint.Size == 8 ? MemoryMarshal.Read<long>(buffer) : MemoryMarshal.Read<uint>(buffer)) == Magic;
    }

    /// <summary>Mounts one where there is none.</summary>
    /// <exception cref="TproxyException">It cannot be mounted there.</exception>
    internal static void Demand(SteeringOptions options, Action<string> log)
    {
        var root = options.BpfRoot;
        if (IsAt(root))
        {
            if (WhyNotWritable(root) is { } unwritable)
            {
                throw new TproxyException(unwritable);
            }

            return;
        }

        if (WhyNotFolder(root) is { } reason)
        {
            throw Fault(root, reason);
        }

        try
        {
            Directory.CreateDirectory(root);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Fault(root, error.Message);
        }

        if (Libc.Mount("bpf", root, "bpf", 0, "mode=0700") != 0)
        {
            throw Fault(root, Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
        }

        log($"steering: {root} was no BPF file system; one was mounted there. Steering outlives this process only as long as that mount: on the host it is made with 'mount -t bpf bpf {root}'");
    }

    /// <summary>Null if <see cref="Demand"/> would succeed, as far as can be told without doing it.</summary>
    internal static string? WhyNot(SteeringOptions options)
    {
        var root = options.BpfRoot;
        if (IsAt(root))
        {
            return WhyNotWritable(root);
        }

        if (WhyNotFolder(root) is { } reason)
        {
            return Fault(root, reason).Message;
        }

        var trial = Libc.OpenFileSystem("bpf");
        if (trial < 0)
        {
            return Fault(root, Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())).Message;
        }

        new Microsoft.Win32.SafeHandles.SafeFileHandle(trial, ownsHandle: true).Dispose();
        return null;
    }

    /// <summary>A mount hides what is in the folder, so there must be nothing.</summary>
    private static string? WhyNotFolder(string root)
    {
        try
        {
            for (var path = root; path is not null; path = Path.GetDirectoryName(path))
            {
                if (File.Exists(path))
                {
                    return $"{path} is a file";
                }

                if (Directory.Exists(path))
                {
                    return path == root && Directory.GetFileSystemEntries(path).Length > 0 ? "the folder is not empty" : null;
                }
            }

            return "there is no such folder";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return error.Message;
        }
    }

    /// <summary>Found out at the start: a steering that can never pin would let traffic pass while it tries. An empty folder is made and removed again.</summary>
    private static string? WhyNotWritable(string root)
    {
        var ours = Path.Combine(root, "postern");
        try
        {
            var probe = Path.Combine(Directory.Exists(ours) ? ours : root, $"probe{Environment.ProcessId}");
            Directory.CreateDirectory(probe);
            Directory.Delete(probe);
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"eBPF steering must write to the BPF file system at {root}, and cannot ({error.Message.TrimEnd('.')}); give it, and what is in it, to this process's user (chown), mount it writable, run as root, or name another place with --bpf-root (BpfRoot)";
        }
    }

    private static TproxyException Fault(string root, string reason) =>
        new($"eBPF steering needs a BPF file system at {root}, and cannot mount one ({reason}); mount -t bpf bpf /sys/fs/bpf, or name another place with --bpf-root (BpfRoot)");
}

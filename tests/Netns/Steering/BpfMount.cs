using System;
using System.Diagnostics;
using System.IO;

namespace Postern.Tests.Netns.Steering;

/// <summary>A BPF file system in a folder of its own. What is pinned there goes with it.</summary>
internal sealed class BpfMount : IDisposable
{
    internal BpfMount()
    {
        Folder = Directory.CreateTempSubdirectory("pst-bpf-").FullName;
        Run("mount", "-t", "bpf", "bpf", Folder);
    }

    internal string Folder { get; }

    public void Dispose()
    {
        Run("umount", Folder);
        Directory.Delete(Folder);
    }

    private static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'{command} {string.Join(' ', arguments)}' ended with {process.ExitCode}");
        }
    }
}

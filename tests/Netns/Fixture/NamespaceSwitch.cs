using System;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Netns.Fixture;

/// <summary>setns(2): moves the calling thread, and it alone, into another network namespace.</summary>
internal static partial class NamespaceSwitch
{
    private const int CloneNewNet = 0x4000_0000;

    internal static void Enter(string path)
    {
        using var handle = File.OpenHandle(path);
        if (SetNs(handle, CloneNewNet) != 0)
        {
            throw new InvalidOperationException($"setns({path}) failed with errno {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SetNs(SafeFileHandle descriptor, int kind);
}

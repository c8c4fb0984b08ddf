using System;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Postern.Netns.Fixture;

/// <summary>Runs code on a thread of its own that has given up every capability, or all but some (capset acts on the calling thread only).</summary>
public static partial class Unprivileged
{
    private const uint Version3 = 0x2008_0522;

    /// <param name="action">What to run.</param>
    /// <param name="kept">Numbers of capabilities below 32 that stay.</param>
    public static void Run(Action action, params int[] kept)
    {
        var low = 0u;
        foreach (var capability in kept)
        {
            low |= 1u << capability;
        }

        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                var header = new Header { Version = Version3 };
                if (CapSet(ref header, [low, low, 0, 0, 0, 0]) != 0)
                {
                    throw new InvalidOperationException($"capset failed with errno {Marshal.GetLastPInvokeError()}");
                }

                action();
            }
            catch (Exception error)
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        }) { IsBackground = true };
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    /// <summary>Two times effective, permitted and inheritable sets follow: those below 32 first.</summary>
    [LibraryImport("libc", EntryPoint = "capset", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int CapSet(ref Header header, [In] uint[] data);

    private struct Header
    {
        internal uint Version;
        internal int Pid; // 0: the calling thread
    }
}

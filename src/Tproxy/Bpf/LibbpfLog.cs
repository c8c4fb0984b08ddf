using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Bpf;

/// <summary>
/// What libbpf prints on this thread between construction and disposal, line by line: its warnings, and the verifier's log when it refuses a program
/// (libbpf then loads once more with a log, and enlarges that until it is whole). Without one, warnings go nowhere: by itself libbpf writes to standard error.
/// </summary>
internal sealed class LibbpfLog : IDisposable
{
    private const int Debug = 2; // LIBBPF_DEBUG

    [ThreadStatic]
    private static LibbpfLog? s_current;

    private readonly Action<string> log;
    private readonly List<string> lines = [];

    static unsafe LibbpfLog() => Libbpf.SetPrint((nint)(delegate* unmanaged[Cdecl]<int, nint, nint, int>)&Print);

    internal LibbpfLog(Action<string> log)
    {
        this.log = log;
        s_current = this;
    }

    internal IReadOnlyList<string> Lines => lines;

    public void Dispose() => s_current = null;

    // A va_list that is a parameter is a pointer: on x86-64 because it is an array, on arm64 because it is larger than 16 bytes.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Print(int level, nint format, nint arguments)
    {
        if (s_current is not { } current || level >= Debug)
        {
            return 0;
        }

        try
        {
            if (Libc.Format(out var text, format, arguments) >= 0)
            {
                current.Take(Marshal.PtrToStringUTF8(text) ?? string.Empty);
                Libc.Free(text);
            }
        }
#pragma warning disable CA1031 // An exception must not cross libbpf's frames.
        catch (Exception)
#pragma warning restore CA1031
        {
            return -1;
        }

        return 0;
    }

    private void Take(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            var trimmed = line.TrimEnd();
            if (trimmed.Length > 0)
            {
                lines.Add(trimmed);
                log(trimmed);
            }
        }
    }
}

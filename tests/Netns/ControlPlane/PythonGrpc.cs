using System;
using System.Diagnostics;
using System.IO;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>The foreign gRPC stack: Debian's python3-grpcio, which test.sh installs.</summary>
internal static class PythonGrpc
{
    internal const string Python = "/usr/bin/python3";

    private static readonly Lazy<bool> Here = new(Probe);

    internal static bool IsHere => Here.Value;

    private static bool Probe()
    {
        if (!File.Exists(Python))
        {
            return false;
        }
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", "import grpc"]) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

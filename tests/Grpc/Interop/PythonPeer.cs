using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Interop;

/// <summary><c>echo.py</c> as a process; ends with the test.</summary>
internal sealed class PythonPeer : IAsyncDisposable
{
    private readonly Process process;

    private PythonPeer(Process process) => this.process = process;

    public StreamReader Output => process.StandardOutput;

    public static PythonPeer Start(string role, string address, string? certificates = null)
    {
        var start = new ProcessStartInfo("/usr/bin/python3")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Interop", "echo.py"));
        start.ArgumentList.Add(role);
        start.ArgumentList.Add(address);
        if (certificates is not null)
        {
            start.ArgumentList.Add(certificates);
        }
        // A proxy of the environment is none of loopback's business.
        start.Environment.Remove("http_proxy");
        start.Environment.Remove("https_proxy");
        return new PythonPeer(Process.Start(start)!);
    }

    /// <summary>Runs the client's side to its end; fails with what it printed.</summary>
    public async Task MustSucceedAsync()
    {
        var errors = process.StandardError.ReadToEndAsync();
        var output = await Output.ReadToEndAsync().Within();
        await process.WaitForExitAsync().Within();
        Assert.True(process.ExitCode == 0 && output.EndsWith("done\n", StringComparison.Ordinal), output + await errors.Within());
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        if (!process.HasExited)
        {
            process.Kill();
        }
        await process.WaitForExitAsync().Within();
        process.Dispose();
    }
}

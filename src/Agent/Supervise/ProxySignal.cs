using System.Diagnostics;
using System.Globalization;

namespace Postern.Agent.Supervise;

/// <summary>Sends SIGTERM, which the framework cannot: it only kills.</summary>
internal static class ProxySignal
{
    public static void Terminate(int pid)
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("kill -s TERM \"$0\"");
        start.ArgumentList.Add(pid.ToString(CultureInfo.InvariantCulture));
        using var process = Process.Start(start);
        process?.WaitForExit(2000); // one that is gone already is no error
    }
}

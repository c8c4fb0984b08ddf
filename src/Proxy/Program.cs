using System;
using System.CommandLine;
using System.Threading.Tasks;
using Postern.Proxy.Cli;
using Postern.Proxy.Observe;

namespace Postern.Proxy;

internal static class Program
{
    private static Task<int> Main(string[] args)
    {
        // Read when the first socket is made: completions run on the thread that polls them instead of going through the thread pool. Together with
        // the connection's own reader, whose continuations run in place, no request changes threads on its way. Nothing on the path may block.
        if (Environment.GetEnvironmentVariable(InlineCompletions) is null)
        {
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        }
        var root = new RootCommand("Postern, a per-node L7 policy proxy")
        {
            RunCommand.Create(),
            ObserveCommand.Create(),
            PolicyCommand.Create(),
        };
        var parsed = root.Parse(args);
        // 'run' has signal handlers of its own and ends when the drain is over; the library's would end the process after two seconds.
        return parsed.CommandResult.Command.Name == RunCommand.Name
            ? parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null })
            : parsed.InvokeAsync();
    }

    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
}

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
        return root.Parse(args).InvokeAsync();
    }

    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
}

using System.CommandLine;
using System.Threading.Tasks;
using Postern.Agent.Cli;

namespace Postern.Agent;

internal static class Program
{
    private const int WrongInput = 2;

    private static async Task<int> Main(string[] args)
    {
        var parsed = Root().Parse(args);
        // No limit on how long a command may take to end after a signal: 'run' waits for the proxy to drain, and has signal handlers of its own.
        var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }).ConfigureAwait(false);
        return parsed.Errors.Count > 0 ? WrongInput : code;
    }

    internal static RootCommand Root() =>
        new("Postern's node agent: gives identities, compiles policy, serves xDS, steers traffic and keeps the proxy running")
        {
            RunCommand.Create(),
            StatusCommand.Create(),
            EndpointCommand.Create(),
            IdentityCommand.Create(),
            PolicyCommand.Create(),
            MonitorCommand.Create(),
            SteeringCommand.Create(),
            DoctorCommand.Create(),
        };
}

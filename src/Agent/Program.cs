using System.CommandLine;
using System.Threading.Tasks;

namespace Postern.Agent;

internal static class Program
{
    private static Task<int> Main(string[] args) =>
        new RootCommand("Postern's node agent: gives identities, compiles policy, serves xDS, steers traffic and keeps the proxy running").Parse(args).InvokeAsync();
}

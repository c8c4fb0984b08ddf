using Postern.Agent.Api;
using Postern.Agent.Compile;

namespace Postern.Agent.Runtime;

internal static class Tracer
{
    public static TraceView Trace(CompiledNode node, TraceQuestion question) => throw new TraceException("not yet");
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Postern.Agent.Cli;

/// <summary>The agent's log: one line per event on standard error, as the proxy's.</summary>
internal static class AgentLog
{
    public static ILoggerFactory Create(LogLevel level) => LoggerFactory.Create(builder => builder
        .SetMinimumLevel(level)
        .AddFilter("Microsoft", level < LogLevel.Information ? level : LogLevel.Warning)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        })
        .AddConsole(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            // Nobody may read standard error: a full queue drops lines, and never makes the main loop wait.
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        }));
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Postern.Proxy.Cli;

/// <summary>The process's log: one line per event on standard error, written by a thread of its own.</summary>
internal static class ConsoleLog
{
    public static ILoggerFactory Create(LogLevelSwitch level) => LoggerFactory.Create(builder => builder
        .SetMinimumLevel(LogLevel.Trace)
        .AddFilter((category, asked) => asked >= level.For(category))
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
            // Nobody may read standard error: a full queue drops lines, and never makes a socket's thread wait.
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        }));
}

using System;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Postern.Proxy.Admin.Pages;

/// <summary>
/// <c>/logging</c>: <c>level=NAME</c> sets the level of all logs, in Envoy's names; without a query it is shown. <c>postern=NAME</c> means the same,
/// because all logs share one level.
/// </summary>
internal sealed class LoggingPage(IAdminTarget target, ILogger logger)
{
    private static readonly (string Name, LogLevel Level)[] Levels =
    [
        ("trace", LogLevel.Trace),
        ("debug", LogLevel.Debug),
        ("info", LogLevel.Information),
        ("warning", LogLevel.Warning),
        ("warn", LogLevel.Warning),
        ("error", LogLevel.Error),
        ("critical", LogLevel.Critical),
        ("off", LogLevel.None),
    ];

    public Task ServeAsync(HttpContext context)
    {
        if (context.Request.Query.Count == 0)
        {
            return context.WriteTextAsync(StatusCodes.Status200OK, Active(Current()));
        }
        var asked = context.Parameter("level") ?? context.Parameter("postern")
            ?? throw new BadQueryException("logging takes level=NAME; levels of single loggers (paths, or a logger's name) are not supported");
        foreach (var (name, level) in Levels)
        {
            if (string.Equals(name, asked, StringComparison.OrdinalIgnoreCase))
            {
                target.SetLogLevel(level);
                return context.WriteTextAsync(StatusCodes.Status200OK, Active(name));
            }
        }
        throw new BadQueryException($"level: {OneLine.Of(asked)} is none of trace, debug, info, warning, error, critical, off");
    }

    private static string Active(string name) => $"active loggers:\n  postern: {name}\n";

    private string Current()
    {
        foreach (var (name, level) in Levels)
        {
            if (level != LogLevel.None && logger.IsEnabled(level))
            {
                return name;
            }
        }
        return "off";
    }
}

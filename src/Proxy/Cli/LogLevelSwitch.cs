using System;
using Microsoft.Extensions.Logging;

namespace Postern.Proxy.Cli;

/// <summary>The level of all logs, changed while the process runs. Libraries speak up only when more than information is wanted.</summary>
internal sealed class LogLevelSwitch(LogLevel level)
{
    private volatile int current = (int)level;

    public LogLevel Level
    {
        get => (LogLevel)current;
        set => current = (int)value;
    }

    /// <summary>The least level of a category that is written.</summary>
    public LogLevel For(string? category)
    {
        var wanted = Level;
        if (category is null || wanted < LogLevel.Information)
        {
            return wanted;
        }
        return category.StartsWith("Microsoft", StringComparison.Ordinal) ? LogLevel.Warning : wanted;
    }
}

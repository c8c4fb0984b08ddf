using System;
using Microsoft.Extensions.Logging;

namespace Postern.Proxy.Lifecycle;

/// <summary>What the admin pages may ask of the process around the server.</summary>
/// <param name="Quit">Ends the process as SIGTERM does.</param>
/// <param name="SetLogLevel">Changes the level of all logs.</param>
internal sealed record AdminActions(Action Quit, Action<LogLevel> SetLogLevel)
{
    /// <summary>Does nothing.</summary>
    public static readonly AdminActions None = new(static () => { }, static _ => { });
}

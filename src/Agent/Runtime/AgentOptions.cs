using System;
using System.Collections.Generic;
using System.IO;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Runtime;

/// <summary>What <c>postern-agent run</c> was told. Immutable.</summary>
public sealed record AgentOptions
{
    /// <summary>Where sockets, the proxy's log and its record lie.</summary>
    public const string DefaultRuntimeFolder = "/run/postern";

    /// <summary>Endpoints, policies, services.</summary>
    public required string Folder { get; init; }

    /// <summary>Emptied by a reboot.</summary>
    public string RuntimeFolder { get; init; } = DefaultRuntimeFolder;

    /// <summary>Survives a reboot: identities, endpoint ids, proxy ports, the last good folder.</summary>
    public string StateFolder { get; init; } = "/var/lib/postern-agent";

    /// <summary>The proxy's executable.</summary>
    public string Proxy { get; init; } = Path.Combine(AppContext.BaseDirectory, "postern");

    /// <summary>More arguments for the proxy.</summary>
    public IReadOnlyList<string> ProxyArguments { get; init; } = [];

    /// <summary>By what this agent steers, or null when somebody else does.</summary>
    public SteeringMode? Steering { get; init; } = SteeringMode.Auto;

    /// <summary>How it steers.</summary>
    public SteeringOptions SteeringOptions { get; init; } = SteeringOptions.Default;

    /// <summary>What happens to steered traffic while no proxy runs.</summary>
    public WhileProxyDown WhileProxyDown { get; init; } = WhileProxyDown.Deny;

    /// <summary>Where the proxy finds its control plane.</summary>
    public string XdsSocket { get; init; } = DefaultRuntimeFolder + "/xds.sock";

    /// <summary>Where <c>postern-agent status</c> and the like ask.</summary>
    public string ApiSocket { get; init; } = DefaultRuntimeFolder + "/agent.sock";

    /// <summary>Where the proxy sends its records.</summary>
    public string AccessLogSocket { get; init; } = DefaultRuntimeFolder + "/access_log.sock";

    /// <summary>First port for listeners.</summary>
    public ushort FirstProxyPort { get; init; } = 10000;

    /// <summary>Last one, inclusive.</summary>
    public ushort LastProxyPort { get; init; } = 20000;

    /// <summary>How long a change may wait for the proxy's word.</summary>
    public TimeSpan AckTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Microsoft.Extensions.Logging level name, for agent and proxy.</summary>
    public string LogLevel { get; init; } = "information";

    /// <summary>The proxy's bootstrap, written by the agent.</summary>
    public string BootstrapFile => Path.Combine(RuntimeFolder, "bootstrap.yaml");

    /// <summary>What the proxy writes to its outputs.</summary>
    public string ProxyLogFile => Path.Combine(RuntimeFolder, "proxy.log");

    /// <summary>The proxy's admin socket.</summary>
    public string AdminSocket => Path.Combine(RuntimeFolder, "admin.sock");
}

/// <summary>Steered traffic while no proxy runs.</summary>
public enum WhileProxyDown
{
    /// <summary>Rules stay: TPROXY drops what nobody listens for.</summary>
    Deny,

    /// <summary>Rules go: it passes by, unpoliced.</summary>
    Allow,
}

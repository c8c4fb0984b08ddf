using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Agent.AccessLog;
using Postern.Agent.Api;
using Postern.Agent.Envoy;
using Postern.Agent.Identities;
using Postern.Agent.Serve;
using Postern.Agent.Steer;
using Postern.Agent.Supervise;
using Postern.Grpc.Server;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Runtime;

/// <summary>Puts an agent together from its options and runs it: sockets first, then the proxy, and steering when the proxy has ACKed.</summary>
internal static class AgentRun
{
    // Longer than the proxy's own drain time, which is 10 s by default.
    private static readonly TimeSpan ProxyStopLimit = TimeSpan.FromSeconds(15);

    /// <exception cref="AgentStartException">Cannot start; one line.</exception>
    public static async Task RunAsync(AgentOptions options, ILoggerFactory loggers, CancellationToken stop, CancellationToken hurry)
    {
        var logger = loggers.CreateLogger("postern.agent");
        void Warn(string line) => logger.LogWarning("{Line}", line);
        void Tell(string line) => logger.LogInformation("{Line}", line);
        using var owned = RuntimeLock.Take(options.RuntimeFolder);
        Or("make the state folder " + options.StateFolder, "--state-dir", () => Directory.CreateDirectory(options.StateFolder));

        var source = new FolderNodeSource(options.Folder, options.StateFolder, options.RuntimeFolder, Warn);
        var bootstrap = new AgentBootstrapOptions
        {
            XdsSocket = options.XdsSocket,
            AdminSocket = options.AdminSocket,
            NodeId = $"host~127.0.0.1~{source.NumberingName}~localdomain",
        };
        await File.WriteAllTextAsync(options.BootstrapFile, AgentBootstrap.Write(bootstrap), stop).ConfigureAwait(false);
        var command = ProxyCommand.Of(options.Proxy, options.BootstrapFile, options.RuntimeFolder, options.AdminSocket, ["--log-level", options.LogLevel, .. options.ProxyArguments]);
        var launcher = new ProxyLauncher(command, new ProxyLog(options.ProxyLogFile), new ProxyRecord(Path.Combine(options.RuntimeFolder, "proxy.json")), logger);
        if (!source.KnowsNumbers)
        {
            launcher.KillLeftover();
        }

        var server = new ResourceServer(new ResourceServerOptions { Log = Warn });
        await using var serverEnd = server.ConfigureAwait(false);
        var discovery = new GrpcServer(new GrpcServerOptions { EndPoints = [new UnixDomainSocketEndPoint(options.XdsSocket)], Services = server.Definitions });
        await using var discoveryEnd = discovery.ConfigureAwait(false);
        await OrAsync("listen on " + options.XdsSocket, "--xds-socket", async () =>
        {
            await discovery.StartAsync(stop).ConfigureAwait(false);
            return discovery;
        }).ConfigureAwait(false);
        var records = Or("listen on " + options.AccessLogSocket, "--access-log-socket", () => AccessLogServer.Start(new AccessLogServerOptions { Path = options.AccessLogSocket, Log = Warn }));
        await using var recordsEnd = records.ConfigureAwait(false);

        var ports = new ProxyPorts(new ProxyPortsOptions { First = options.FirstProxyPort, Last = options.LastProxyPort, StateFile = Path.Combine(options.StateFolder, "proxy_ports.json"), Log = Warn });
        var serving = new NodeServing(server, ports, new AgentListenerOptions { HasIPv6 = HasIPv6(), AccessLogPath = options.AccessLogSocket }, options.AckTimeout, Warn);
        // The steering lock stays in its usual folder whatever the runtime folder is: a second agent, or a proxy that is started by hand, looks for it there.
        INodeSteering steering = options.Steering is { } mode
            ? new NodeSteering(mode, (wanted, log) => SteeringSelector.Choose(wanted, options.SteeringOptions, log), Tell)
            : new NoSteering();
        var agent = new NodeAgent(
            source,
            serving,
            steering,
            changed => new ProxySupervisor(launcher, new RestartBackoff(Random.Shared.NextDouble), TimeProvider.System, ProxyStopLimit, changed, logger),
            options.WhileProxyDown,
            TimeProvider.System,
            logger);
        var view = new AgentView(options, agent, serving, steering);
        var api = await OrAsync("listen on " + options.ApiSocket, "--api-socket", () => ApiServer.StartAsync(options.ApiSocket, view, records, stop)).ConfigureAwait(false);
        await using var apiEnd = api.ConfigureAwait(false);
        using var watch = new FolderWatch(options.Folder, agent.FolderChanged, TimeProvider.System);
        logger.LogInformation("agent follows {Folder}; status: postern-agent status --api-socket {Socket}", options.Folder, options.ApiSocket);
        await agent.RunAsync(stop, hurry).ConfigureAwait(false);
    }

    private static T Or<T>(string what, string knob, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
        {
            throw new AgentStartException($"cannot {what}: {e.Message.TrimEnd('.')}; choose another with {knob}", e);
        }
    }

    private static async Task<T> OrAsync<T>(string what, string knob, Func<Task<T>> action)
    {
        try
        {
            return await action().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
        {
            throw new AgentStartException($"cannot {what}: {e.Message.TrimEnd('.')}; choose another with {knob}", e);
        }
    }

    // A listener that cannot bind one of its addresses is refused whole.
    private static bool HasIPv6()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

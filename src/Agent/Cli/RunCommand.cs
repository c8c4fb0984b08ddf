using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Agent.Runtime;
using Postern.Tproxy;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Cli;

/// <summary><c>postern-agent run</c>.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var folder = new Option<string>("--dir") { Description = "Folder of endpoints, policies and services, YAML; followed for changes", Required = true, HelpName = "FOLDER" };
        var runtime = new Option<string>("--runtime-dir") { Description = "Sockets, lock, the proxy's log and record", DefaultValueFactory = _ => AgentOptions.DefaultRuntimeFolder, HelpName = "FOLDER" };
        var state = new Option<string>("--state-dir") { Description = "What outlives a reboot: identities, endpoint ids, proxy ports, the last good folder", DefaultValueFactory = _ => "/var/lib/postern-agent", HelpName = "FOLDER" };
        var proxy = new Option<string?>("--proxy") { Description = "The proxy [default: postern beside this executable]", HelpName = "PATH" };
        var proxyArguments = new Option<string[]>("--proxy-arg") { Description = "One more argument for 'postern run'. Repeatable; --proxy-arg=--drain-time-s --proxy-arg=5", HelpName = "ARG" };
        var steering = new Option<string>("--steering") { Description = "ebpf; iptables; auto: ebpf where the kernel can, else iptables; none when somebody else steers", DefaultValueFactory = _ => "auto" };
        steering.AcceptOnlyFromAmong("auto", "ebpf", "iptables", "none");
        var older = new Option<string>("--older-connections") { Description = "TCP connections from before a rule covered them. cut: reset; keep: they go on unjudged", DefaultValueFactory = _ => "cut" };
        older.AcceptOnlyFromAmong("cut", "keep");
        var bpfRoot = new Option<string>("--bpf-root") { Description = "The BPF file system, mounted there if need be; holds what eBPF steering leaves in force", DefaultValueFactory = _ => SteeringOptions.Default.BpfRoot, HelpName = "FOLDER" };
        var down = new Option<string>("--while-proxy-down") { Description = "deny: steered traffic is dropped; allow: it passes unpoliced", DefaultValueFactory = _ => "deny" };
        down.AcceptOnlyFromAmong("deny", "allow");
        var xds = new Option<string?>("--xds-socket") { Description = "xDS for the proxy [default: RUNTIME-DIR/xds.sock]", HelpName = "PATH" };
        var api = new Option<string?>("--api-socket") { Description = "For 'postern-agent status' and the like [default: RUNTIME-DIR/agent.sock]", HelpName = "PATH" };
        var accessLog = new Option<string?>("--access-log-socket") { Description = "The proxy's records [default: RUNTIME-DIR/access_log.sock]", HelpName = "PATH" };
        var ports = new Option<string>("--proxy-ports") { Description = "Ports for the proxy's listeners", DefaultValueFactory = _ => "10000-20000", HelpName = "FIRST-LAST" };
        var timeout = new Option<string>("--ack-timeout") { Description = "How long a change may wait for the proxy's word: 500ms, 10s, 1m", DefaultValueFactory = _ => "10s", HelpName = "TIME" };
        var level = new Option<string>("--log-level", "-l") { Description = "trace, debug, information, warning, error or critical", DefaultValueFactory = _ => "information" };
        level.AcceptOnlyFromAmong("trace", "debug", "information", "warning", "error", "critical");
        Check(folder, text => Directory.Exists(text) ? null : $"there is no folder '{text}'");
        Check(ports, text => TryPorts(text, out _, out _) ? null : $"'{text}' is not a port range such as 10000-20000");
        Check(timeout, text => TryTime(text, out _) ? null : $"'{text}' is not a time from 100ms to 10m such as 500ms, 10s or 1m");
        var command = new Command("run", "Run the agent: serve the proxy, steer to it, keep it alive") { folder, runtime, state, proxy, proxyArguments, steering, older, bpfRoot, down, xds, api, accessLog, ports, timeout, level };
        command.SetAction((parsed, _) =>
        {
            var at = Path.GetFullPath(parsed.GetValue(runtime)!);
            TryPorts(parsed.GetValue(ports)!, out var first, out var last);
            TryTime(parsed.GetValue(timeout)!, out var ackTimeout);
            var options = new AgentOptions
            {
                Folder = Path.GetFullPath(parsed.GetValue(folder)!),
                RuntimeFolder = at,
                StateFolder = Path.GetFullPath(parsed.GetValue(state)!),
                ProxyArguments = parsed.GetValue(proxyArguments) ?? [],
                Steering = parsed.GetValue(steering) is { } mode && mode != "none" ? Enum.Parse<SteeringMode>(mode, ignoreCase: true) : null,
                SteeringOptions = SteeringOptions.Default with
                {
                    OlderConnections = Enum.Parse<OlderConnections>(parsed.GetValue(older)!, ignoreCase: true),
                    BpfRoot = Path.GetFullPath(parsed.GetValue(bpfRoot)!),
                },
                WhileProxyDown = parsed.GetValue(down) == "allow" ? WhileProxyDown.Allow : WhileProxyDown.Deny,
                XdsSocket = Path.GetFullPath(parsed.GetValue(xds) ?? Path.Combine(at, "xds.sock")),
                ApiSocket = Path.GetFullPath(parsed.GetValue(api) ?? Path.Combine(at, "agent.sock")),
                AccessLogSocket = Path.GetFullPath(parsed.GetValue(accessLog) ?? Path.Combine(at, "access_log.sock")),
                FirstProxyPort = first,
                LastProxyPort = last,
                AckTimeout = ackTimeout,
                LogLevel = parsed.GetValue(level)!,
            };
            return RunAsync(parsed.GetValue(proxy) is { } named ? options with { Proxy = Path.GetFullPath(named) } : options);
        });
        return command;
    }

    private static async Task<int> RunAsync(AgentOptions options)
    {
        using var loggers = AgentLog.Create(Enum.Parse<LogLevel>(options.LogLevel, ignoreCase: true));
        using var stop = new CancellationTokenSource();
        using var hurry = new CancellationTokenSource();
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            (stop.IsCancellationRequested ? hurry : stop).Cancel(); // the second signal does not wait for the proxy
        }
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        try
        {
            await AgentRun.RunAsync(options, loggers, stop.Token, hurry.Token).ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is AgentStartException or TproxyException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync("postern-agent: " + e.Message).ConfigureAwait(false);
            return 1;
        }
    }

    private static void Check(Option<string> option, Func<string, string?> problem) => option.Validators.Add(result =>
    {
        if (result.Tokens is [.., var token] && problem(token.Value) is { } text)
        {
            result.AddError($"{option.Name}: {text}");
        }
    });

    private static bool TryPorts(string text, out ushort first, out ushort last)
    {
        last = 0;
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return ushort.TryParse(dash < 0 ? text : text[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out first)
            && ushort.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out last)
            && dash > 0 && first >= 1024 && last >= first;
    }

    internal static bool TryTime(string text, out TimeSpan time)
    {
        var (unit, length) = text.EndsWith("ms", StringComparison.Ordinal) ? (1.0, 2) : text.EndsWith('s') ? (1000.0, 1) : text.EndsWith('m') ? (60_000.0, 1) : (0.0, 0);
        time = default;
        if (unit == 0 || !uint.TryParse(text[..^length], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }
        time = TimeSpan.FromMilliseconds(Math.Min(number * unit, 1e9));
        return time >= TimeSpan.FromMilliseconds(100) && time <= TimeSpan.FromMinutes(10);
    }
}

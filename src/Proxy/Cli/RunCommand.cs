using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Policy;
using Postern.Proxy.Admin;
using Postern.Proxy.Discovery;
using Postern.Proxy.Lifecycle;
using Postern.Proxy.Listeners;
using Postern.Records;
using Postern.Proxy.Observe;
using Postern.Tproxy;
using Postern.Tproxy.Steering;
using Postern.Xds;
using Postern.Xds.Discovery;
using Postern.Xds.Resources;

namespace Postern.Proxy.Cli;

/// <summary><c>postern run</c>: the proxy, or with <c>--mode validate</c> a check of its configuration.</summary>
internal static class RunCommand
{
    public const string Name = "run";

    private const string Serve = "serve";
    private const string Validate = "validate";

    public static Command Create()
    {
        var config = new Option<string>("--config-path", "-c") { Description = "Envoy v3 bootstrap, YAML or JSON", Required = true, HelpName = "FILE" };
        var mode = new Option<string>("--mode") { Description = "serve, or validate: check the configuration and exit", DefaultValueFactory = _ => Serve };
        mode.AcceptOnlyFromAmong(Serve, Validate);
        var json = new Option<string?>("--record-json") { Description = "Write records as JSON lines to this file; - is standard output", HelpName = "PATH" };
        var size = new Option<int>("--record-json-max-size-mb") { Description = "Rotate the records file beyond this size; 0 never", DefaultValueFactory = _ => 100 };
        var backups = new Option<int>("--record-json-max-backups") { Description = "Rotated records files kept", DefaultValueFactory = _ => 3 };
        var headers = new Option<string>("--record-headers") { Description = "Headers in JSON records: none, names or all (secrets redacted)", DefaultValueFactory = _ => "all" };
        headers.AcceptOnlyFromAmong("none", "names", "all");
        var observe = new Option<string?>("--observe-socket") { Description = $"Where 'postern observe' connects; empty switches it off [default: {ObserveOptions.DefaultSocket}, if it can be had]", HelpName = "PATH" };
        var steer = new Option<string[]>("--steer") { Description = "Steer traffic here: to=CIDR,port=80,proxy-port=15001[,from=CIDR][,in=IFACE][,proto=udp]. Repeatable; removed at exit", HelpName = "RULE" };
        var steering = new Option<string>("--steering") { Description = "By what --steer steers: ebpf; iptables; auto: ebpf where the kernel can, else iptables", DefaultValueFactory = _ => "auto" };
        steering.AcceptOnlyFromAmong("auto", "ebpf", "iptables");
        var older = new Option<string>("--older-connections") { Description = "TCP connections from before --steer. cut: reset; keep: they go on unjudged", DefaultValueFactory = _ => "cut" };
        older.AcceptOnlyFromAmong("cut", "keep");
        var bpfRoot = new Option<string>("--bpf-root") { Description = "The BPF file system, mounted there if need be; holds what eBPF steering leaves in force", DefaultValueFactory = _ => SteeringOptions.Default.BpfRoot, HelpName = "FOLDER" };
        var keepSteering = new Option<bool>("--keep-steering") { Description = "Leave steering rules alone that another process installed, also when it has died" };
        var onlyDatapath = new Option<bool>("--only-datapath") { Description = "Nothing but this proxy stands between the pods of the node, as under postern-agent: judge both ends of a connection between two of them, and keep the client's address there too" };
        var denied = new Option<string>("--denied-connections") { Description = "Open connections that a change of policy or identities forbids. cut: reset, with a record; keep: they go on (requests are judged all the same)", DefaultValueFactory = _ => "cut" };
        denied.AcceptOnlyFromAmong("cut", "keep");
        var connections = new Option<int>("--max-connections") { Description = "Connections the process takes; more are reset", DefaultValueFactory = _ => 50_000 };
        var perSource = new Option<int>("--max-connections-per-source") { Description = "Connections that one source address may have open; more are reset, with a record. 0: no bound", DefaultValueFactory = _ => 0 };
        var overload = new Option<string>("--default-overload") { Description = "Where the bootstrap's overload_manager has no actions. shed: new work is refused as memory comes near the bound of the control group; off: it is taken", DefaultValueFactory = _ => "shed" };
        overload.AcceptOnlyFromAmong("shed", "off");
        var drain = new Option<int>("--drain-time-s") { Description = "Seconds that connections may finish in after their listener went or the process is asked to stop", DefaultValueFactory = _ => 10 };
        var stateDir = new Option<string?>("--state-dir") { Description = $"Where the last good state is kept for a restart without a control plane; empty switches it off [default: {RunOptions.DefaultStateDir}, if it can be had]", HelpName = "PATH" };
        var stateAge = new Option<string>("--state-max-age") { Description = "State older than this is not used, like 90s, 30m, 24h; 0 switches it off", DefaultValueFactory = _ => "24h", HelpName = "TIME" };
        stateAge.Validators.Add(result =>
        {
            if (result.Tokens is [.., var token] && Age.TryParse(token.Value) is null)
            {
                result.AddError("--state-max-age is a number and s, m or h, like 24h; 0 switches it off");
            }
        });
        var warnUnknown = new Option<bool>("--warn-unknown-security-fields") { Description = "Only warn of unknown fields in policy, RBAC and TLS validation messages; the default is to refuse them" };
        var rejectUnknown = new Option<bool>("--reject-unknown-dynamic-fields") { Description = "Refuse unknown fields in all messages of a control plane" };
        var level = new Option<string>("--log-level", "-l") { Description = "trace, debug, information, warning, error or critical", DefaultValueFactory = _ => "information" };
        level.AcceptOnlyFromAmong("trace", "debug", "information", "warning", "error", "critical");
        Positive(connections, 1);
        Positive(perSource, 0);
        Positive(drain, 0);
        Positive(size, 0);
        Positive(backups, 0);
        var command = new Command(Name, "Run the proxy") { config, mode, json, size, backups, headers, observe, steer, steering, older, bpfRoot, keepSteering, onlyDatapath, denied, connections, perSource, overload, drain, stateDir, stateAge, warnUnknown, rejectUnknown, level };
        command.SetAction((parsed, _) =>
        {
            var options = new RunOptions
            {
                ConfigPath = parsed.GetValue(config)!,
                RecordJson = parsed.GetValue(json),
                RecordJsonMaxSizeMb = parsed.GetValue(size),
                RecordJsonMaxBackups = parsed.GetValue(backups),
                RecordHeaders = parsed.GetValue(headers)!,
                ObserveSocket = parsed.GetValue(observe),
                Steer = parsed.GetValue(steer) ?? [],
                Steering = Enum.Parse<SteeringMode>(parsed.GetValue(steering)!, ignoreCase: true),
                SteeringOptions = SteeringOptions.Default with
                {
                    OlderConnections = Enum.Parse<OlderConnections>(parsed.GetValue(older)!, ignoreCase: true),
                    BpfRoot = Path.GetFullPath(parsed.GetValue(bpfRoot)!),
                },
                KeepSteering = parsed.GetValue(keepSteering),
                OnlyDatapath = parsed.GetValue(onlyDatapath),
                DeniedConnections = Enum.Parse<DeniedConnections>(parsed.GetValue(denied)!, ignoreCase: true),
                MaxConnections = parsed.GetValue(connections),
                MaxConnectionsPerSource = parsed.GetValue(perSource),
                ShedByDefault = parsed.GetValue(overload) == "shed",
                DrainTime = TimeSpan.FromSeconds(parsed.GetValue(drain)),
                StateDir = parsed.GetValue(stateDir),
                StateMaxAge = Age.TryParse(parsed.GetValue(stateAge)!) ?? TimeSpan.Zero,
                WarnUnknownSecurityFields = parsed.GetValue(warnUnknown),
                RejectUnknownDynamicFields = parsed.GetValue(rejectUnknown),
                LogLevel = parsed.GetValue(level)!,
            };
            return parsed.GetValue(mode) == Validate ? Task.FromResult(Check(options)) : RunAsync(options);
        });
        return command;
    }

    private static void Positive(Option<int> option, int least) => option.Validators.Add(result =>
    {
        // From the token: what is no number at all has an error already, and asking for its value would throw.
        if (result.Tokens is [.., var token] && int.TryParse(token.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) && value < least)
        {
            result.AddError($"{option.Name} must be {least} or more");
        }
    });

    private static int Check(RunOptions options)
    {
        try
        {
            var bootstrap = BootstrapLoader.LoadFile(options.ConfigPath);
            foreach (var rule in options.Steer)
            {
                SteeringRule.Parse(rule);
            }
            foreach (var file in Validation.Files(bootstrap))
            {
                file();
            }
            Console.WriteLine($"{options.ConfigPath}: OK");
            return 0;
        }
        catch (Exception e) when (IsOperatorError(e))
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static async Task<int> RunAsync(RunOptions options)
    {
        var level = new LogLevelSwitch(Enum.Parse<LogLevel>(options.LogLevel, ignoreCase: true));
        using var loggers = ConsoleLog.Create(level);
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var hurry = new CancellationTokenSource();
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            if (!stop.TrySetResult())
            {
                hurry.Cancel(); // the second signal does not wait for connections
            }
        }
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        try
        {
            var bootstrap = BootstrapLoader.LoadFile(options.ConfigPath);
            var channels = new ControlPlaneChannels(bootstrap);
            await using var closeChannels = channels.ConfigureAwait(false);
            var server = new ProxyServer(bootstrap, options, loggers, Parts(options, channels, loggers.CreateLogger("postern.xds")), new AdminActions(() => stop.TrySetResult(), value => level.Level = value));
            await using (server.ConfigureAwait(false))
            {
                using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
                {
                    context.Cancel = true;
                    server.ReopenRecords();
                });
                await server.StartAsync(CancellationToken.None).ConfigureAwait(false);
                await stop.Task.ConfigureAwait(false);
                await server.StopAsync(hurry.Token).ConfigureAwait(false);
            }
            return 0;
        }
        catch (Exception e) when (IsOperatorError(e))
        {
            await Console.Error.WriteLineAsync("postern: " + e.Message).ConfigureAwait(false);
            return 1;
        }
    }

    private static DiscoveryParts Parts(RunOptions options, ControlPlaneChannels channels, ILogger log)
    {
        var decoder = new ResourceDecoder(new DecodeOptions
        {
            WarnOnUnknownSecurityFields = options.WarnUnknownSecurityFields,
            RejectUnknownDynamicFields = options.RejectUnknownDynamicFields,
        });
        return new DiscoveryParts(
            bootstrap => new DiscoveryClient(new DiscoveryClientOptions
            {
                Node = bootstrap.Node,
                Decoder = decoder,
                Transport = channels.For,
                AdsSource = bootstrap.AdsSource,
                Log = line => log.LogWarning("{Line}", line),
                LogDebug = line => log.LogDebug("{Line}", line),
            }),
            decoder,
            TimeProvider.System);
    }

    // What the operator can mend: one line, no stack.
    private static bool IsOperatorError(Exception e) =>
        e is XdsConfigException or AdminException or PolicyConfigException or TproxyException or RecordSinkException or IOException or UnauthorizedAccessException;
}

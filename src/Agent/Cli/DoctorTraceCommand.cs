using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Net;
using System.Text.Json;
using Postern.Agent.Api;
using Postern.Agent.Doctor;
using Postern.Agent.Doctor.Path;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Cli;

/// <summary><c>postern-agent doctor trace</c>: where a packet goes astray.</summary>
internal static class DoctorTraceCommand
{
    private const int Found = 1;

    public static Command Create()
    {
        var from = new Option<string>("--from") { Description = "An endpoint, namespace/name or address", Required = true, HelpName = "POD" };
        var to = new Option<string>("--to") { Description = "Where it sends to", Required = true, HelpName = "IP:PORT" };
        to.Validators.Add(result =>
        {
            if (result.Tokens is [.., var token] && !TryEndPoint(token.Value, out _))
            {
                result.AddError($"--to: '{token.Value}' is not IP:PORT, such as 10.0.0.2:80 or [fd00::2]:80");
            }
        });
        var protocol = new Option<SteeringProtocol>("--protocol") { Description = "tcp or udp", DefaultValueFactory = _ => SteeringProtocol.Tcp };
        var root = DoctorCommand.BpfRoot();
        var query = new Query();
        var command = new Command("trace", "Follow a packet of an endpoint, step by step; exit code 1 if it goes astray") { from, to, protocol, root };
        query.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var code = 0;
            var failed = await query.GuardAsync(parsed, async client =>
            {
                _ = TryEndPoint(parsed.GetValue(to)!, out var target);
                var probe = new NodeProbe(SteeringOptions.Default with { BpfRoot = parsed.GetValue(root)! }, client, query.Socket(parsed));
                var node = await probe.ReadAsync(cancellation).ConfigureAwait(false);
                var path = await new PathProbe(node, probe.Network, client).ReadAsync(parsed.GetValue(from)!, target, parsed.GetValue(protocol), cancellation).ConfigureAwait(false);
                var steps = PacketTrace.Run(node, path);
                code = Astray(steps) is null ? 0 : Found;
                var output = parsed.InvocationConfiguration.Output;
                if (query.Format(parsed) == OutputFormat.Json)
                {
                    await output.WriteLineAsync(JsonSerializer.Serialize(new { From = path.From, To = path.To.ToString(), path.Protocol, AstrayAt = Astray(steps)?.Number, Steps = steps }, ApiJson.Options)).ConfigureAwait(false);
                }
                else
                {
                    Write(steps, output);
                }
            }).ConfigureAwait(false);
            return failed != 0 ? failed : code;
        });
        return command;
    }

    internal static void Write(IReadOnlyList<PathStep> steps, TextWriter output)
    {
        foreach (var step in steps)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{step.Number,2}. {(step.State == StepState.Astray ? "ASTRAY" : step.State.ToString().ToLowerInvariant()),-7} {step.Name,-12} {DoctorCommand.Cell(step.Text)}"));
        }
        output.WriteLine(Astray(steps) is { } first
            ? string.Create(CultureInfo.InvariantCulture, $"astray at step {first.Number} ({first.Name}): {DoctorCommand.Cell(first.Text)}; mend: {DoctorCommand.Cell(first.Mend ?? "-")}")
            : "nothing astray");
    }

    /// <summary>Both parts, written out: what the framework reads more into (10.1:80, no port) is somebody's mistake.</summary>
    internal static bool TryEndPoint(string text, out IPEndPoint target)
    {
        target = new IPEndPoint(IPAddress.None, 0);
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            return false;
        }
        var host = text[..colon];
        var isBracketed = host.StartsWith('[') && host.EndsWith(']');
        if (!IPAddress.TryParse(isBracketed ? host[1..^1] : host, out var address)
            || isBracketed != (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6)
            || (!isBracketed && address.ToString() != host))
        {
            return false;
        }
        target = new IPEndPoint(address, port);
        return true;
    }

    private static PathStep? Astray(IReadOnlyList<PathStep> steps)
    {
        foreach (var step in steps)
        {
            if (step.State == StepState.Astray)
            {
                return step;
            }
        }
        return null;
    }
}

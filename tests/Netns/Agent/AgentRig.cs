using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Tasks;
using Postern.Tests.Netns.Proxy;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Agent;

/// <summary>
/// A node run by the real agent: endpoints deathstar (the server), tiefighter and xwing (the client's two addresses), a folder of policies, and
/// the proxy that the agent launches.
/// </summary>
internal sealed class AgentRig : IDisposable
{
    internal const string Tiefighter = ProxyRig.Client;
    internal const string Xwing = ProxyRig.Other;

    private readonly List<PosternProcess> _agents = [];
    private readonly HttpClient _api;
    private readonly SteeringMode _mode;
    private readonly bool _mounted;

    /// <param name="mode">By what the agents steer, unless their own arguments say otherwise.</param>
    internal AgentRig(SteeringMode mode = SteeringMode.Iptables)
    {
        _mode = mode;
        _api = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, _) => new ValueTask<Stream>(ConnectApi()), PooledConnectionLifetime = TimeSpan.Zero }) { Timeout = TimeSpan.FromSeconds(5) };
        Directory.CreateDirectory(BpfRoot);
        if (mode != SteeringMode.Iptables)
        {
            // Of this rig alone: whatever is pinned goes with it.
            Run("mount", "-t", "bpf", "bpf", BpfRoot);
            _mounted = true;
        }
        Directory.CreateDirectory(Net.File("node"));
        Directory.CreateDirectory(Net.File("run"));
        // One thing to launch, wherever dotnet is.
        File.WriteAllText(Net.File("postern"), $"#!/bin/sh\n[ -e {Net.File("stop-agent")} ] && kill -STOP $PPID\nexec env DOTNET_EnableDiagnostics=0 {string.Join(' ', PosternProcess.Command)} \"$@\"\n");
        Net.Net.Node.Run("chmod", "755", Net.File("postern")).OrThrow();
        Write("endpoints.yaml", Endpoints("deathstar", "tiefighter", "xwing"));
    }

    /// <summary>The three endpoints, by the names they shall have; an empty one is left out.</summary>
    internal static string Endpoints(string deathstar, string tiefighter, string xwing) => string.Join("---\n", new[]
    {
        Endpoint(deathstar, "empire", ProxyRig.Server, ProxyRig.ServerV6),
        Endpoint(tiefighter, "empire", Tiefighter, ProxyRig.ClientV6),
        Endpoint(xwing, "alliance", Xwing, ProxyRig.OtherV6),
    }.Where(text => text.Length > 0));

    internal ProxyRig Net { get; } = new();

    /// <summary>What the operator gives the proxy, beyond what every agent does.</summary>
    internal string[] ProxyArguments { get; set; } = [];

    internal string BpfRoot => Net.File("bpf");

    internal PosternProcess Start(params string[] more)
    {
        (string Option, string Value)[] usual =
        [
            ("--runtime-dir", Net.File("run")), ("--state-dir", Net.File("agent-state")), ("--bpf-root", BpfRoot), ("--steering", _mode.ToString().ToLowerInvariant()),
        ];
        string[] arguments =
        [
            "run", "--dir", Net.File("node"), "--proxy", Net.File("postern"), .. ProxyArguments.Select(one => "--proxy-arg=" + one), .. more,
            .. usual.Where(one => !more.Contains(one.Option)).SelectMany(one => (string[])[one.Option, one.Value]),
        ];
        var agent = PosternProcess.Start(Net.Net.Node, [], arguments, "postern-agent.dll");
        _agents.Add(agent);
        return agent;
    }

    /// <summary>Renames a whole file into the folder.</summary>
    internal void Write(string name, string text)
    {
        Net.Put("incoming", text);
        File.Move(Net.File("incoming"), Path.Combine(Net.File("node"), name), overwrite: true);
    }

    internal void Rename(string from, string to) => File.Move(Path.Combine(Net.File("node"), from), Path.Combine(Net.File("node"), to));

    /// <summary>As a writer does that does not rename.</summary>
    internal void Truncate(string name) => File.WriteAllText(Path.Combine(Net.File("node"), name), "");

    /// <summary>From now on an agent is stopped at the moment when it launches its proxy, before that has begun.</summary>
    internal void StopAgentAtLaunch() => Net.Put("stop-agent", "");

    internal void Kill(string signal, int pid) => Net.Net.Node.Run("kill", "-" + signal, pid.ToString(System.Globalization.CultureInfo.InvariantCulture));

    internal void Remove(string name) => File.Delete(Path.Combine(Net.File("node"), name));

    /// <summary>Writes a file and waits until the agent says that the folder is enforced again.</summary>
    internal void WriteAndWait(string name, string text)
    {
        var before = Revision();
        Write(name, text);
        WaitEnforced(before + 1);
    }

    /// <summary>Waits until a revision is enforced, at least that one.</summary>
    internal void WaitEnforced(long atLeast = 1)
    {
        var seen = "";
        Patience.Until(
            () =>
            {
                seen = StatusText();
                return seen.Length > 0 && JsonElement.Parse(seen).GetProperty("policy") is var policy
                    && policy.GetProperty("revision").GetInt64() is var revision && revision >= atLeast && policy.GetProperty("enforcedRevision").GetInt64() == revision;
            },
            () => $"revision {atLeast} is not enforced:\n{(seen.Length > 0 ? seen : Cli("status"))}\n{string.Join('\n', _agents.SelectMany(a => a.Log.TakeLast(40)))}\n{ProxyLog()}");
    }

    /// <summary>A command of the agent: its output, or its errors.</summary>
    internal string Cli(params string[] arguments)
    {
        string[] command = ["DOTNET_EnableDiagnostics=0", .. PosternProcess.CommandOf("postern-agent.dll"), .. arguments];
        if (arguments[0] is "status" or "endpoint" or "policy" or "identity" or "steering")
        {
            command = [.. command, "--api-socket", Path.Combine(Net.File("run"), "agent.sock")];
        }
        var outcome = Net.Net.Node.Run("env", command);
        return outcome.Output.Length > 0 ? outcome.Output : outcome.Error;
    }

    /// <summary>The rules in force, as the agent says.</summary>
    internal IReadOnlyList<string> Rules() => [.. Status().GetProperty("steering").GetProperty("rules").EnumerateArray().Select(rule => rule.GetString()!)];

    /// <summary>What steering has left in the kernel, of either mode; empty when there is nothing.</summary>
    internal string Leftovers() => string.Join('\n', [Net.Steering(), .. Pins()]).Trim();

    /// <summary>What eBPF steering has pinned.</summary>
    internal IReadOnlyList<string> Pins() => Directory.Exists(Path.Combine(BpfRoot, "postern")) ? [.. Directory.EnumerateFiles(Path.Combine(BpfRoot, "postern"), "*", SearchOption.AllDirectories)] : [];

    internal JsonElement Status() => JsonElement.Parse(StatusText() is { Length: > 0 } text ? text : throw new InvalidOperationException("the agent does not answer: " + Cli("status")));

    /// <summary>
    /// What <c>status -o json</c> prints; empty while no agent answers. Asked for by this process: a command for every look takes the processor from the
    /// very agent that is waited for.
    /// </summary>
    internal string StatusText()
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "http://agent/v1/status");
            using var answer = _api.Send(request);
            using var reader = new StreamReader(answer.Content.ReadAsStream());
            return answer.IsSuccessStatusCode ? reader.ReadToEnd() : "";
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or IOException)
        {
            return "";
        }
    }

    /// <summary>Command lines of the processes in the node's namespace, but for this one.</summary>
    internal IReadOnlyList<string> Processes() =>
        [.. Pids().Where(pid => File.Exists($"/proc/{pid}/cmdline")).Select(pid => pid + " " + File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ')).Where(line => !line.Contains("ip netns pids", StringComparison.Ordinal))];

    internal int ProxyPid() => Status().GetProperty("proxy").GetProperty("pid").GetInt32();

    /// <summary>The answer to a request from a ship: "200 body", "403 …", "reset", or "timeout".</summary>
    internal string Ask(string source, string method, string path)
    {
        var got = Net.Curl("-m", "3", "--interface", source, "-X", method, $"http://{ProxyRig.Server}{path}");
        return got switch
        {
            "exit 28" => "timeout",
            "exit 52" or "exit 55" or "exit 56" or "exit 7" or "exit 35" => "reset",
            _ => got,
        };
    }

    internal string ProxyLog() => File.Exists(Net.File("run/proxy.log")) ? string.Join('\n', File.ReadLines(Net.File("run/proxy.log")).TakeLast(40)) : "no proxy log";

    public void Dispose()
    {
        foreach (var agent in _agents)
        {
            if (!agent.HasExited)
            {
                agent.Signal("CONT");
                agent.Signal("TERM");
                agent.Signal("TERM");
                agent.WaitForExit();
            }
            agent.Dispose();
        }
        _api.Dispose();
        KillProxy();
        if (_mounted)
        {
            Run("umount", "-l", BpfRoot);
        }
        Net.Dispose();
    }

    // In this process's own mount namespace, which the agents share.
    private static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command} {string.Join(' ', arguments)}: exit code {process.ExitCode}");
    }

    // Of an agent that was killed.
    private void KillProxy()
    {
        foreach (var pid in Pids())
        {
            Net.Net.Node.Run("kill", "-9", pid);
        }
    }

    private NetworkStream ConnectApi()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(Path.Combine(Net.File("run"), "agent.sock")));
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private string[] Pids() => Net.Net.Node.Run("ip", "netns", "pids", Net.Net.Node.Name).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private long Revision() => Status().GetProperty("policy").GetProperty("revision").GetInt64();

    private static string Endpoint(string name, string org, string ip, string ip6) => name.Length == 0 ? "" : $"""
        apiVersion: postern.io/v1
        kind: Endpoint
        metadata:
          name: {name}
          namespace: default
          labels:
            org: {org}
            class: {name}
        spec:
          ips: ["{ip}", "{ip6}"]

        """;
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>
/// A node with the proxy, a client with two addresses (two identities) and a server; all files in a folder of their own. The proxy is started
/// by the test, because how it starts is what many tests are about.
/// </summary>
internal sealed class ProxyRig : IDisposable
{
    internal const string Client = NodeTopology.ClientV4;
    internal const string ClientV6 = NodeTopology.ClientV6;
    internal const string Other = "10.71.1.3";
    internal const string OtherV6 = "fd71:1::3";
    internal const string Server = NodeTopology.ServerV4;
    internal const string ServerV6 = NodeTopology.ServerV6;
    internal const string Steer80 = "port=80,proxy-port=15001";

    private readonly List<IDisposable> _owned = [];
    private int _version;

    internal ProxyRig()
    {
        Net.Client.AddAddress("eth0", Other + "/24");
        // Deprecated: taken only when asked for. Of two equal IPv6 addresses the kernel would prefer the later one.
        Net.Client.Ip($"addr add {OtherV6}/64 dev eth0 nodad preferred_lft 0");
        Listener = new ListenerText { PolicyPath = File("policy.json") };
        PutPolicy(ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.HttpRule(1001, "/public.*"))));
    }

    internal NodeTopology Net { get; } = new();

    internal string Folder { get; } = Directory.CreateTempSubdirectory("pst-proxy-").FullName;

    /// <summary>The one static listener of <see cref="Start"/>.</summary>
    internal ListenerText Listener { get; set; }

    internal string File(string name) => Path.Combine(Folder, name);

    internal string Bootstrap => File("bootstrap.json");

    internal string Records => File("records.json");

    internal string ObserveSocket => File("observe.sock");

    /// <summary>Renames a whole file into place, as docs/config.md asks for.</summary>
    internal void Put(string name, string text)
    {
        System.IO.File.WriteAllText(File(name) + ".new", text);
        System.IO.File.Move(File(name) + ".new", File(name), overwrite: true);
    }

    /// <summary>Writes a policy and, when a proxy is given, waits until it is in force.</summary>
    internal void PutPolicy(PosternProcess? proxy, params string[] resources)
    {
        var version = $"v{++_version}";
        Put("policy.json", ConfigText.Policy(version, resources));
        proxy?.WaitForLog($"version {version},");
    }

    internal void PutPolicy(params string[] resources) => PutPolicy(null, resources);

    internal Origin AddOrigin(int port = 80, string name = "")
    {
        var origin = new Origin(Net.Server, port, name);
        _owned.Add(origin);
        return origin;
    }

    internal T Own<T>(T thing)
        where T : IDisposable
    {
        _owned.Add(thing);
        return thing;
    }

    /// <summary>The proxy with <see cref="Listener"/>, port 80 steered to it, ready.</summary>
    internal PosternProcess Start(params string[] more)
    {
        Put("bootstrap.json", ConfigText.Bootstrap([ConfigText.Steered(Listener)], [ConfigText.OriginalDst]));
        return Run(["--steer", Steer80, .. more]).WaitReady();
    }

    /// <summary>The proxy with the bootstrap as it stands, records and observe socket.</summary>
    internal PosternProcess Run(params string[] more) => RunIn([], more);

    internal PosternProcess RunIn(IEnumerable<string> wrapper, params string[] more)
    {
        List<string> arguments = ["run", "-c", Bootstrap];
        if (!more.Contains("--observe-socket"))
        {
            arguments.AddRange(["--observe-socket", ObserveSocket]);
        }
        if (!more.Contains("--record-json"))
        {
            arguments.AddRange(["--record-json", Records]);
        }
        // Tests look at the rules, and leave this machine's BPF file system alone, unless they say otherwise.
        if (!more.Contains("--steering"))
        {
            arguments.AddRange(["--steering", "iptables"]);
        }
        return Own(PosternProcess.Start(Net.Node, wrapper, [.. arguments, .. more]));
    }

    internal string Try(string path, string to = Server + ":80", string? source = null) => HttpClientSocket.Try(Net.Client, to, path, source);

    internal HttpClientSocket Connect(string to = Server + ":80", string? source = null) => Own(HttpClientSocket.Connect(Net.Client, to, source));

    /// <summary>curl in the client's namespace: "200 body", or "exit N".</summary>
    internal string Curl(params string[] arguments)
    {
        var outcome = Net.Client.Run("curl", ["-s", "-m", "15", "-w", "\n%{http_code}", .. arguments]);
        if (outcome.ExitCode != 0)
        {
            return $"exit {outcome.ExitCode}";
        }
        var cut = outcome.Output.LastIndexOf('\n');
        return $"{outcome.Output[(cut + 1)..]} {outcome.Output[..cut].TrimEnd()}";
    }

    /// <summary>Waits for a record and gives it.</summary>
    internal JsonElement WaitForRecord(Func<JsonElement, bool> match)
    {
        JsonElement found = default;
        Patience.Until(
            () =>
            {
                foreach (var record in ReadRecords())
                {
                    if (match(record))
                    {
                        found = record;
                        return true;
                    }
                }
                return false;
            },
            () => "no such record among:\n" + string.Join('\n', ReadRecords()));
        return found;
    }

    internal List<JsonElement> ReadRecords()
    {
        var records = new List<JsonElement>();
        if (!System.IO.File.Exists(Records))
        {
            return records;
        }
        using var reader = new StreamReader(new FileStream(Records, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        var text = reader.ReadToEnd();
        foreach (var line in text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            records.Add(JsonElement.Parse(line));
        }
        return records;
    }

    /// <summary>Rules of ours: iptables of both versions, ip rules, table 2004. Empty when nothing is left.</summary>
    internal string Steering()
    {
        string Of(string command, params string[] arguments) => Net.Node.Run(command, arguments).Output;
        var rules = (Of("iptables-save") + Of("ip6tables-save")).Split('\n').Where(l => l.Contains("POSTERN", StringComparison.Ordinal) && !l.StartsWith('#'));
        var routing = (Of("ip", "-4", "rule") + Of("ip", "-6", "rule")).Split('\n').Where(l => l.Contains("2004", StringComparison.Ordinal));
        var table = (Of("ip", "-4", "route", "show", "table", "2004") + Of("ip", "-6", "route", "show", "table", "2004")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        // Counters stand in brackets.
        return string.Join('\n', rules.Concat(routing).Concat(table).Select(l => l.Split(" [")[0]));
    }

    public void Dispose()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }
        // The proxy never deletes its lock file; in a namespace that goes away it would stay for ever.
        var name = Net.Node.Inside(() => new FileInfo("/proc/thread-self/ns/net").LinkTarget!)[5..^1];
        System.IO.File.Delete($"/run/postern/steering-{name}.lock");
        Net.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}

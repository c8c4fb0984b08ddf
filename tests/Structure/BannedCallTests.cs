using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;

namespace Postern.Tests.Structure;

/// <summary>Calls that have no place in the sources; an exception names its file and its reason, and goes when it is no longer needed.</summary>
public sealed class BannedCallTests
{
    private static readonly (string Pattern, string Why)[] Banned =
    [
        (@"\bThread\.Sleep\b", "nothing may block; wait for an event with a bound"),
        (@"\bTask\.Run\b", "work stays on the thread that has it, or has a thread of its own"),
        (@"\.(Wait|GetAwaiter\(\)\.GetResult)\(\)", "blocks the thread that completes the very thing waited for"),
        (@"\bDateTime(Offset)?\.Now\b", "local time; records are UTC"),
        (@"\bnew HttpClient\(", "upstream connections belong to one client connection each"),
        (@"\bConsole\.Read", "a proxy has no keyboard"),
        (@"\bThreadPool\.SetM", "one process, one pool, its own sizing"),
        (@"\bGC\.Collect\b", "a pause of the whole proxy"),
        (@"^using System\.Linq;", "LINQ allocates; outside of the folders where nothing is hot"),
    ];

    /// <summary>file or folder, banned pattern → why it may.</summary>
    private static readonly Dictionary<(string Place, string Pattern), string> Exceptions = new()
    {
        [("src/Tproxy/Steering/SteeringLock.cs", @"\bThread\.Sleep\b")] = "start-up: waits a bounded time for another process's file lock, which tells nobody when it goes",
        [("src/Proxy/Transport/SendBuffer.cs", @"\.(Wait|GetAwaiter\(\)\.GetResult)\(\)")] = "takes the result of a write that has completed",
        [("src/Proxy/Lifecycle/Overloads.cs", @"\bGC\.Collect\b")] = "overload manager's shrink_heap: in the background, at most every 10 s, when memory is short",
        [("src/Records/Json/FileLineOutput.cs", @"\.(Wait|GetAwaiter\(\)\.GetResult)\(\)")] = "the writer's own thread waits for lines",
        [("src/Tproxy/Steering/CommandRunner.cs", @"\.(Wait|GetAwaiter\(\)\.GetResult)\(\)")] = "start-up and shutdown: iptables and ip run on the thread that is in the right network namespace, each with a time limit",
    };

    /// <summary>Folders that run at start, on a configuration change or on the command line, never per request.</summary>
    private static readonly string[] ColdFolders = ["src/Xds/", "src/Policy/Compile/", "src/Policy/Config/", "src/Proxy/PolicyTest/", "src/Proxy/Observe/", "src/Agent/Model/", "src/Agent/Identities/", "src/Agent/Compile/", "src/Agent/Trace/"];

    [Fact]
    public void Source_CallsNothingBanned()
    {
        var bad = new List<string>();
        var needed = new HashSet<(string, string)>();
        foreach (var file in Repository.Sources())
        {
            foreach (var (number, text) in Source.Code(file))
            {
                foreach (var (pattern, why) in Banned)
                {
                    if (!Regex.IsMatch(text, pattern) || (pattern.Contains("Linq", StringComparison.Ordinal) && ColdFolders.Any(folder => file.StartsWith(folder, StringComparison.Ordinal))))
                    {
                        continue;
                    }
                    if (Exceptions.ContainsKey((file, pattern)))
                    {
                        needed.Add((file, pattern));
                    }
                    else
                    {
                        bad.Add($"{file}:{number}: {text.Trim()} ({why})");
                    }
                }
            }
        }
        bad.AddRange(Exceptions.Keys.Where(key => !needed.Contains(key)).Select(key => $"{key.Place} needs no exception for {key.Pattern} any more"));
        Findings.None(bad);
    }

    [Fact]
    public void NativeCall_StandsInTproxyOnly()
    {
        var bad = new List<string>();
        foreach (var file in Repository.Sources().Where(file => !file.StartsWith("src/Tproxy/", StringComparison.Ordinal)))
        {
            bad.AddRange(Source.Code(file).Where(line => Regex.IsMatch(line.Text, @"\b(DllImport|LibraryImport|NativeLibrary)\b")).Select(line => $"{file}:{line.Number}"));
        }
        Findings.None(bad);
    }

    /// <summary>Bytes or values in, decisions out: no socket, file, clock, thread or task where verdicts, filters and parsers are.</summary>
    [Theory]
    [InlineData("src/Policy")]
    [InlineData("src/Filters")]
    [InlineData("src/Proxy/Http1")]
    [InlineData("src/Proxy/Http2/Hpack")]
    public void Core_DoesNoInputOutput(string folder)
    {
        const string InputOutput = @"\b(DateTime|DateTimeOffset|Stopwatch|TimeProvider|TickCount64|Socket|NetworkStream|FileStream|File\.|Directory\.|Thread|Task|ValueTask|Timer|async|await|Console|Environment\.)\b";
        var bad = new List<string>();
        foreach (var file in Repository.Sources(folder))
        {
            bad.AddRange(Source.Code(file).Where(line => Regex.IsMatch(line.Text, InputOutput)).Select(line => $"{file}:{line.Number}: {line.Text.Trim()}"));
        }
        Findings.None(bad);
    }

    // BpfMetadataConfig has the wire field is_ingress under its own name; Resolve and everything after it has TrafficDirection.
    [Fact]
    public void Direction_IsNoFlag()
    {
        var bad = new List<string>();
        foreach (var file in Repository.Sources().Where(file => file != "src/Xds/Config/BpfMetadataConfig.cs"))
        {
            bad.AddRange(Source.Code(file)
                .Where(line => Regex.IsMatch(line.Text, @"^    (public|protected).*\bbool (is)?(ingress|egress|inbound|outbound|downstream|upstream)\b", RegexOptions.IgnoreCase))
                .Select(line => $"{file}:{line.Number}: {line.Text.Trim()}"));
        }
        Findings.None(bad);
    }
}

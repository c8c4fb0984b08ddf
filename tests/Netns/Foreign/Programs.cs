using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Foreign;

/// <summary>What the foreign clients and servers need of Debian; ./test.sh installs it as root.</summary>
internal static class Programs
{
    internal const string Python = "/usr/bin/python3";

    /// <summary>Where ./test.sh puts what comes from npm; this is bin/Release/net10.0 of tests/Netns.</summary>
    internal static readonly string NodeModules = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../../out/grpc-js/node_modules"));

    private static readonly ConcurrentDictionary<string, string?> s_found = new();

    /// <summary>Null if all of the packages are here and namespaces can be made, else the reason for the skip.</summary>
    internal static string? WhyNot(string packages) => NetnsSupport.WhyNot
        ?? packages.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => s_found.GetOrAdd(p, Look)).FirstOrDefault(reason => reason is not null);

    /// <summary>A script beside the tests.</summary>
    internal static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Http", "foreign", name);

    private static string? Look(string package)
    {
        var found = package switch
        {
            "python3-grpcio" => Imports("grpc"),
            "python3-websockets" => Imports("websockets"),
            "nghttp2-client" => Has("nghttp") && Has("h2load"),
            "nghttp2-server" => Has("nghttpd"),
            "nodejs" => Has("node"),
            "grpc-js" => Directory.Exists(Path.Combine(NodeModules, "@grpc", "grpc-js")),
            _ => Has(package),
        };
        return found ? null : $"needs {package}; ./test.sh installs it{(package == "grpc-js" ? " where npm is" : " as root")}";
    }

    private static bool Has(string command) =>
        ((IEnumerable<string>)[.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/usr/bin"]).Any(folder => File.Exists(Path.Combine(folder, command)));

    private static bool Imports(string module)
    {
        if (!File.Exists(Python))
        {
            return false;
        }
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", "import " + module]) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

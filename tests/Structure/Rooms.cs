using System;
using System.Collections.Generic;

namespace Postern.Tests.Structure;

/// <summary>The arrows of ARCHITECTURE.md: which room may use which.</summary>
internal static class Rooms
{
    public static readonly IReadOnlyDictionary<string, string[]> MayUse = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["Policy"] = [],
        ["Tproxy"] = [],
        ["Records"] = ["Policy"],
        ["Filters"] = ["Policy", "Records"],
        ["Grpc"] = [],
        ["Xds"] = ["Policy", "Grpc"],
        ["Proxy"] = ["Policy", "Records", "Filters", "Xds", "Grpc", "Tproxy"],
        ["Agent"] = ["Policy", "Xds", "Grpc", "Tproxy"],
    };

    public static TheoryData<string> All
    {
        get
        {
            var all = new TheoryData<string>();
            foreach (var room in MayUse.Keys)
            {
                all.Add(room);
            }
            return all;
        }
    }

    /// <summary>The room's assembly, without suffix.</summary>
    public static string AssemblyOf(string room) => room switch { "Proxy" => "postern", "Agent" => "postern-agent", _ => "Postern." + room };

    public static string? OfAssembly(string assembly) =>
        assembly switch
        {
            "postern" => "Proxy",
            "postern-agent" => "Agent",
            _ => assembly.StartsWith("Postern.", StringComparison.Ordinal) ? assembly["Postern.".Length..] : null,
        };

    public static bool Allows(string room, string other) => room == other || Array.IndexOf(MayUse[room], other) >= 0;
}

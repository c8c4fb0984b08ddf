using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Postern.Proxy.PolicyTest;

/// <summary>Writes one JSON line per update and request, and remembers whether the current case failed.</summary>
internal sealed class CaseReport(TextWriter output)
{
    private static readonly JsonSerializerOptions Lines = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private bool failed;
    private bool open;

    public int Passed { get; private set; }

    public int Failed { get; private set; }

    public int Skipped { get; set; }

    public string Case { get; private set; } = "";

    public void Begin(string name)
    {
        Case = name;
        failed = open = false;
    }

    /// <summary>Something of the case cannot be known without a live connection: unless it fails it counts as skipped.</summary>
    public void LeaveOpen() => open = true;

    public void End()
    {
        Passed += failed || open ? 0 : 1;
        Failed += failed ? 1 : 0;
        Skipped += open && !failed ? 1 : 0;
    }

    /// <summary>The line of an update; <paramref name="error"/> null for accepted.</summary>
    public void Update(string? error, List<string> failures)
    {
        var line = new JsonObject { ["case"] = Case, ["update"] = error is null ? "accept" : "reject", ["error"] = error };
        Write(line, failures);
    }

    /// <summary>A case that could not be read.</summary>
    public void Unreadable(string what) => Write(new JsonObject { ["case"] = Case, ["ok"] = false }, [what]);

    /// <summary>Writes a line; failures are added to it and fail the case.</summary>
    public void Write(JsonObject line, List<string> failures)
    {
        if (failures.Count > 0)
        {
            failed = true;
            var list = new JsonArray();
            foreach (var failure in failures)
            {
                list.Add(failure);
            }
            line["failed"] = list;
        }
        output.WriteLine(line.ToJsonString(Lines));
    }

    public void Summary() => output.WriteLine(FormattableString.Invariant($"{Passed} passed, {Failed} failed, {Skipped} skipped"));
}

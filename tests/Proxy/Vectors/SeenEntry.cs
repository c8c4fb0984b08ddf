using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Json;
using Postern.Records;
using Postern.Records.AccessLog;
using Postern.Records.Json;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>A record as its readers get it: one line of JSON, and one packet of the access log.</summary>
internal sealed class SeenEntry
{
    private static readonly JsonRecordEncoder Encoder = new();

    private readonly JsonElement json;
    private readonly string line;
    private readonly byte[] packet;

    public SeenEntry(VisibilityRecord record)
    {
        line = Encoding.UTF8.GetString(Encoder.Encode(record));
        json = JsonDocument.Parse(line).RootElement;
        var buffer = new byte[4096];
        packet = buffer.AsSpan(0, LogEntryEncoder.Encode(record, buffer, out _)).ToArray();
    }

    public string Type => Text("entry_type");

    public string Text(string name) => json.TryGetProperty(name, out var value) ? value.ToString() : "";

    public string Http(string name) => json.GetProperty("http").TryGetProperty(name, out var value) ? value.ToString() : "";

    /// <summary>Lower-case names.</summary>
    public List<KeyValuePair<string, string>> Pairs(string list) => !json.GetProperty("http").TryGetProperty(list, out var value)
        ? []
        : [.. value.EnumerateArray().Select(pair => KeyValuePair.Create(pair[0].GetString()!.ToLowerInvariant(), pair[1].GetString()!))];

    public string RequestId => Pairs("headers").FirstOrDefault(pair => pair.Key == "x-request-id").Value ?? "";

    /// <summary>In any form that a reader gets.</summary>
    public bool Shows(string secret) => line.Contains(secret, StringComparison.Ordinal) || packet.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) >= 0;

    public override string ToString() => line;
}

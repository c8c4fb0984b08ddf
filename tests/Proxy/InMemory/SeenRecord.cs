using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Policy;
using Postern.Records;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>A copy of a record, with its fields by the names that dialogues use.</summary>
internal sealed record SeenRecord(EntryType Type, IReadOnlyDictionary<string, string> Fields)
{
    public static SeenRecord Of(VisibilityRecord record)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["reason"] = record.Reason,
            ["detail"] = record.Detail,
            ["rule"] = record.RuleName,
            ["policy"] = record.PolicyName,
            ["source"] = record.SourceIdentity.ToString(),
            ["sni"] = record.Sni,
            ["destination"] = record.DestinationAddress,
            ["destination-identity"] = record.DestinationIdentity.ToString(),
            ["direction"] = record.Direction.ToString(),
            ["http"] = record.Http is null ? "no" : "yes",
        };
        if (record.Http is { } http)
        {
            fields["status"] = http.Status.ToString();
            fields["scheme"] = http.Scheme;
            fields["call"] = http.IsGrpc ? "yes" : "no";
            fields["grpc"] = http.GrpcStatus?.ToString() ?? "";
            fields["method"] = http.Request?.Method.ToString() ?? "";
            fields["path"] = http.Request?.Path.ToString() ?? "";
            fields["authority"] = http.Request?.Authority.ToString() ?? "";
            fields["missing"] = Pairs(http.HeaderMatches?.Missing);
            fields["rejected"] = Pairs(http.HeaderMatches?.Rejected);
            fields["headers"] = Names(http.Request);
            fields["response-headers"] = Names(http.ResponseHeaders);
        }
        return new SeenRecord(record.EntryType, fields);
    }

    public override string ToString() => $"{Type} " + string.Join(' ', Fields.Where(f => f.Value.Length > 0).Select(f => $"{f.Key}={f.Value}"));

    private static string Pairs(IReadOnlyList<KeyValuePair<string, string>>? pairs) => pairs is null ? "" : string.Join(',', pairs.Select(p => $"{p.Key}:{p.Value}"));

    private static string Names(IHttpHeaders? headers)
    {
        var names = new List<string>();
        for (var i = 0; i < (headers?.Count ?? 0); i++)
        {
            names.Add(headers!.NameAt(i).ToString());
        }
        return string.Join(',', names);
    }
}

using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using Postern.Policy;
using Postern.Xds;

namespace Postern.Proxy.PolicyTest;

/// <summary>
/// <c>postern policy test FILE</c>: runs policy vectors without a connection. Needs nothing but the file, so a policy can be tried before
/// it is rolled out. Output: one JSON line per update and per request, then <c>N passed, N failed, N skipped</c> (cases).
/// </summary>
public static class PolicyTestCommand
{
    /// <summary>Runs the vectors of <paramref name="file"/>.</summary>
    /// <param name="file">A JSON array of cases, or one case.</param>
    /// <param name="output">Lines of results.</param>
    /// <param name="error">One line when the input cannot be read.</param>
    /// <returns>0 all passed, 1 some failed, 2 unreadable input.</returns>
    public static int Run(string file, TextWriter output, TextWriter error)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException broken)
        {
            error.WriteLine($"{file}:{broken.LineNumber + 1}:{broken.BytePositionInLine + 1}: not JSON: {broken.Message}");
            return 2;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            error.WriteLine($"{file}: cannot be read: {unreadable.Message}");
            return 2;
        }
        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object))
            {
                error.WriteLine($"{file}:1:1: expected an array of cases, found {root.ValueKind}");
                return 2;
            }
            var report = new CaseReport(output);
            var index = 0;
            foreach (var @case in root.ValueKind == JsonValueKind.Array ? root.EnumerateArray().ToArray() : [root])
            {
                if (@case.ValueKind != JsonValueKind.Object)
                {
                    error.WriteLine($"{file}: case {index}: expected an object, found {@case.ValueKind}");
                    return 2;
                }
                RunCase(@case, index++, report);
            }
            report.Summary();
            return report.Failed > 0 ? 1 : 0;
        }
    }

    private static void RunCase(JsonElement @case, int index, CaseReport report)
    {
        report.Begin($"#{index}");
        try
        {
            report.Begin(CaseJson.Text(@case, "name") ?? report.Case);
            var kind = CaseJson.Text(@case, "kind") ?? "policy";
            var hasPolicy = CaseJson.Items(@case, "policy").Any();
            switch (kind)
            {
                case "policy" or "policy_derived" or "http" or "http_l7lb" or "tls_http" or "tls_tcp" or "websocket":
                case "sni_pattern" or "sni_pattern_invalid" when hasPolicy:
                    PolicyCase.Run(@case, report);
                    break;
                case "sni_pattern" or "sni_pattern_invalid":
                    SniPatternCase.Run(@case, report, invalid: kind == "sni_pattern_invalid");
                    break;
                case "bpf_metadata":
                    BpfMetadataCase.Run(@case, report);
                    break;
                case "nphds_host_map":
                    HostMapCase.Run(@case, report);
                    break;
                default:
                    report.Skipped++;
                    return;
            }
        }
        catch (Exception problem) when (problem is CaseFormatException or PolicyConfigException or XdsConfigException or InvalidOperationException)
        {
            report.Unreadable(problem.Message);
        }
        report.End();
    }
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Postern.Agent.Model;

namespace Postern.Tests.Agent.Model;

public sealed class VisibilityAnnotationTests
{
    [SharedFact("cases/annotation_cases.json")]
    public void EveryCase_IsJudgedAsUpstream()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(SharedFiles.Find("cases/annotation_cases.json")!));
        var failures = new List<string>();
        var count = 0;
        foreach (var @case in json.RootElement.GetProperty("cases").EnumerateArray())
        {
            count++;
            var value = @case.GetProperty("annotation").GetString()!;
            var parsed = VisibilityAnnotation.Parse(value, out var reason);
            var wanted = @case.GetProperty("accept").GetBoolean() ? Wanted(@case.GetProperty("result")) : "refused";
            var found = parsed is null ? "refused" : Found(parsed);
            if (wanted != found)
            {
                failures.Add($"{value}: wanted {wanted}, found {found} ({reason})");
            }
        }
        Assert.True(count >= 18, $"only {count} cases");
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    [Fact]
    public void BothKeys_AreRead()
    {
        foreach (var key in VisibilityAnnotation.Keys)
        {
            var model = Texts.Read(Texts.Endpoint("a", "10.0.0.1", extra: $", annotations: {{'{key}': '<Ingress/80/TCP/HTTP>'}}"));
            Assert.Single(model.Endpoints[0].Visibility.Rules);
        }
    }

    [Fact]
    public void BadAnnotation_RefusesTheEndpoint() =>
        Assert.Contains("policy.cilium.io/proxy-visibility", Texts.Read(Texts.Endpoint("a", "10.0.0.1", extra: ", annotations: {'policy.cilium.io/proxy-visibility': 'x'}")).Reasons(), StringComparison.Ordinal);

    private static string Wanted(JsonElement result) => string.Join(" ", result.EnumerateObject()
        .SelectMany(direction => direction.Value.EnumerateObject().Select(port => $"{direction.Name}/{port.Name}/{port.Value.GetString()}")).Order(StringComparer.Ordinal));

    private static string Found(VisibilityAnnotation annotation) =>
        string.Join(" ", annotation.Rules.Select(rule => $"{rule.Direction}/{rule.Port}/{rule.Protocol}/{rule.Parser}").Order(StringComparer.Ordinal));
}

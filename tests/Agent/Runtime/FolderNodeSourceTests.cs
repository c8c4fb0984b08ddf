using System;
using System.Collections.Generic;
using System.IO;
using Postern.Agent.Runtime;

namespace Postern.Tests.Agent.Runtime;

public sealed class FolderNodeSourceTests : IDisposable
{
    private const string Endpoint = "apiVersion: postern.io/v1\nkind: Endpoint\nmetadata:\n  name: a\n  namespace: default\n  labels: { app: a }\nspec:\n  ips: [10.0.0.1]\n";
    private const string Policy = "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata:\n  name: p\nspec:\n  endpointSelector:\n    matchLabels: { app: a }\n  ingress:\n  - {}\n";

    private readonly TempFolder folder = new();
    private readonly List<string> warnings = [];

    public FolderNodeSourceTests()
    {
        Directory.CreateDirectory(folder.At("state"));
        Directory.CreateDirectory(folder.At("in"));
        Directory.CreateDirectory(folder.At("run"));
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void NothingChanged_IsTheSameReading()
    {
        folder.Write("in/e.yaml", Endpoint);
        var source = Source();

        Assert.Same(source.Read(), source.Read());
    }

    [Fact]
    public void FirstFolderIsBad_ItsEndpointsAreCutOff()
    {
        folder.Write("in/e.yaml", Endpoint);
        folder.Write("in/p.yaml", "kind: [");

        var reading = Source().Read();

        Assert.Equal("default/a", Assert.Single(reading.Node!.Blocked).Name);
        Assert.Empty(reading.Node.Endpoints);
        Assert.StartsWith("p.yaml:", Assert.Single(reading.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void FirstFolderIsBadAndMended_EndpointsArePoliced()
    {
        folder.Write("in/e.yaml", Endpoint);
        folder.Write("in/p.yaml", "kind: [");
        var source = Source();
        source.Read();
        folder.Write("in/p.yaml", Policy);

        var reading = source.Read();

        Assert.Empty(reading.Node!.Blocked);
        Assert.True(Assert.Single(reading.Node.Endpoints).IngressEnforced);
    }

    [Fact]
    public void FolderIsUnmounted_WhatItSaidStaysAlsoAcrossARestart()
    {
        folder.Write("in/all.yaml", Endpoint + Policy);
        Source().Read();
        File.Delete(folder.At("in/all.yaml"));

        var reading = Source().Read();

        Assert.Contains("mounted", Assert.Single(reading.Problems), StringComparison.Ordinal);
        Assert.True(Assert.Single(reading.Node!.Endpoints).IngressEnforced);
    }

    [Fact]
    public void CrashWhileTheLastGoodCopyIsReplaced_TheOneBeforeIsUsed()
    {
        folder.Write("in/all.yaml", Endpoint + Policy);
        Source().Read();
        Directory.Move(folder.At("state/last-good"), folder.At("state/last-good.old"));
        folder.Write("in/all.yaml", "kind: [");

        Assert.True(Assert.Single(Source().Read().Node!.Endpoints).IngressEnforced);
    }

    [Fact]
    public void StateFolderOfATimeBefore_ItsNumbersAreNotThoseOfTheProxy()
    {
        folder.Write("in/e.yaml", Endpoint);
        var source = Source();
        source.Read();
        var backup = File.ReadAllBytes(folder.At("state/identities.json"));
        folder.Write("in/e.yaml", Endpoint.Replace("app: a", "app: b", StringComparison.Ordinal));
        source.Read();
        Assert.Equal(source.NumberingName, Source().NumberingName);

        File.WriteAllBytes(folder.At("state/identities.json"), backup);

        Assert.False(Source().KnowsNumbers);
        Assert.NotEqual(source.NumberingName, Source().NumberingName);
    }

    [Fact]
    public void NumbersCannotBeSaved_TheNextAgentKnowsNone()
    {
        folder.Write("in/e.yaml", Endpoint);
        var source = Source();
        source.Read();
        Assert.True(Source().KnowsNumbers);
        Directory.CreateDirectory(folder.At("state/identities.json.new")); // stands in the way of the next state, as a full disk would
        folder.Write("in/e.yaml", Endpoint.Replace("app: a", "app: b", StringComparison.Ordinal));

        source.Read();

        Assert.Contains("--state-dir", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.False(Source().KnowsNumbers);
    }

    [Fact]
    public void FolderIsBadAfterARestart_LastGoodCopyIsInForce()
    {
        folder.Write("in/e.yaml", Endpoint);
        folder.Write("in/p.yaml", Policy);
        Assert.True(Assert.Single(Source().Read().Node!.Endpoints).IngressEnforced);
        folder.Write("in/p.yaml", "kind: [");

        var reading = Source().Read();

        Assert.Single(reading.Problems);
        Assert.True(Assert.Single(reading.Node!.Endpoints).IngressEnforced);
        Assert.Empty(warnings);
    }

    [Fact]
    public void PolicyAsWritten_IsFoundInItsFile()
    {
        folder.Write("in/all.yaml", Endpoint + Policy);

        var policy = Assert.Single(Source().Read().Policies);

        Assert.Equal("default/p", policy.Name);
        Assert.StartsWith("apiVersion: cilium.io/v2", policy.Yaml, StringComparison.Ordinal);
        Assert.DoesNotContain("Endpoint", policy.Yaml, StringComparison.Ordinal);
    }

    private FolderNodeSource Source() => new(folder.At("in"), folder.At("state"), folder.At("run"), warnings.Add);
}

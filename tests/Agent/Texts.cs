using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Postern.Agent.Compile;
using Postern.Agent.Identities;
using Postern.Agent.Model;

namespace Postern.Tests.Agent;

/// <summary>Folders of texts, and the objects that many tests need.</summary>
internal static class Texts
{
    public static NodeModel Read(params string[] texts) => Read(null, texts);

    public static NodeModel Read(NodeModel? previous, params string[] texts) =>
        NodeFolder.Read(texts.Select((text, i) => ($"{(char)('a' + i)}.yaml", Encoding.UTF8.GetBytes(text))), previous);

    /// <summary>Reads without problems and compiles.</summary>
    public static CompiledNode Compile(params string[] texts)
    {
        var model = Read(texts);
        Assert.Empty(model.Problems);
        return new NodeCompiler(new IdentityAllocator()).Compile(model);
    }

    public static CompiledEndpoint Of(this CompiledNode node, string name) => node.Endpoints.Single(endpoint => endpoint.Name == "default/" + name);

    public static string Endpoint(string name, string address, string labels = "", string extra = "", string space = "default") =>
        $$"""
        apiVersion: postern.io/v1
        kind: Endpoint
        metadata: {name: {{name}}, namespace: {{space}}, labels: { {{labels}} }{{extra}}}
        spec: {ips: [{{address}}]}
        """;

    public static string Policy(string spec, string name = "p", string space = "default") =>
        $"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: {name}, namespace: {space}}}\nspec:\n" + Indent(spec);

    public static string Clusterwide(string spec, string name = "c") =>
        $"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {{name: {name}}}\nspec:\n" + Indent(spec);

    /// <summary>A policy for app=web with these rules of one list.</summary>
    public static string ForWeb(string list, string name = "p") => Policy("endpointSelector: {matchLabels: {app: web}}\n" + list, name);

    /// <summary>web 10.0.0.1, client 10.0.0.2 (role=client), other 10.0.0.3, and far 10.0.0.4 in namespace far.</summary>
    public static readonly string[] Pods =
    [
        Endpoint("web", "10.0.0.1", "app: web"),
        Endpoint("client", "10.0.0.2", "role: client"),
        Endpoint("other", "10.0.0.3", "role: other"),
        Endpoint("far", "10.0.0.4", "role: client", space: "far"),
    ];

    public static string Reasons(this NodeModel model) => string.Join("\n", model.Problems);

    private static string Indent(string text) => string.Join("\n", text.Split('\n').Select(line => "  " + line));
}

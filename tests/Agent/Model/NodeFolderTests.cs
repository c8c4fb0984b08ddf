using System;
using System.IO;
using System.Linq;
using System.Text;
using Postern.Agent.Model;

namespace Postern.Tests.Agent.Model;

public sealed class NodeFolderTests
{
    private const string Good = "apiVersion: v1\nkind: Namespace\nmetadata: {name: one, labels: {team: red}}\n";

    [Fact]
    public void File_OfSeveralDocuments_GivesAllObjects()
    {
        var model = Texts.Read(Good + "---\n# nothing here\n---\n" + Good.Replace("one", "two", StringComparison.Ordinal));
        Assert.Empty(model.Problems);
        Assert.Equal(["one", "two"], model.Namespaces.Select(space => space.Key.Name));
    }

    [Fact]
    public void UnknownField_IsRefusedWithPlaceAndNearestName()
    {
        var model = Texts.Read(Texts.ForWeb("ingress:\n- fromEndpoint:\n  - {}"));
        var problem = Assert.Single(model.Problems);
        Assert.Equal(("a.yaml", 7, 5, "spec.ingress[0].fromEndpoint", "fromEndpoints"), (problem.File, problem.Line, problem.Column, problem.Path, problem.Nearest));
        Assert.Empty(model.Policies);
    }

    [Fact]
    public void AllMistakes_AreReportedAtOnce()
    {
        var model = Texts.Read(Texts.ForWeb("ingres: []\negress:\n- toPorts:\n  - ports: [{port: 80}]\n  toEntities: [word]"));
        Assert.Equal(3, model.Problems.Count);
    }

    [Fact]
    public void BadDocument_KeepsWhatWasInForce()
    {
        var before = Texts.Read(Texts.ForWeb("ingress: [{}]"));
        var after = Texts.Read(before, Texts.ForWeb("ingress: [{nonsense: 1}]"));
        Assert.Single(after.Problems);
        Assert.Equal(before.Policies, after.Policies);
        Assert.Equal(before.Policies, Texts.Read(after, "{{{").Policies);
    }

    [Fact]
    public void GoodDocumentBesideABadOne_IsTakenOver()
    {
        var before = Texts.Read(Good + "---\n" + Texts.ForWeb("ingress: [{}]"));
        var after = Texts.Read(before, Good.Replace("red", "blue", StringComparison.Ordinal) + "---\n" + Texts.ForWeb("ingress: 5"));
        Assert.Equal("blue", after.Namespaces[0].Labels["team"]);
        Assert.Single(after.Policies);
    }

    [Fact]
    public void RemovedFile_TakesItsObjectsAlong()
    {
        var before = Texts.Read(Good, Texts.ForWeb("ingress: [{}]"));
        Assert.Empty(Texts.Read(before, Good).Policies);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n---\n# being written\n")]
    public void FileIsEmptyOfASudden_KeepsWhatItSaid(string text)
    {
        var before = Texts.Read(Good, Texts.ForWeb("ingress: [{}]"));
        var after = Texts.Read(before, Good, text);
        Assert.Single(after.Policies);
        Assert.Equal("b.yaml", Assert.Single(after.Problems).File);
        Assert.Single(Texts.Read(after, Good, text).Policies);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{{{")]
    public void FileIsRenamedAndCannotBeUnderstood_KeepsWhatItSaidUntilItCan(string text)
    {
        var before = Texts.Read(Texts.ForWeb("ingress: [{}]"));
        var after = NodeFolder.Read([("renamed.yaml", Encoding.UTF8.GetBytes(text))], before);
        Assert.Equal(before.Policies, after.Policies);
        Assert.Contains("a.yaml:1:1: is gone", after.Reasons(), StringComparison.Ordinal);
        Assert.Empty(NodeFolder.Read([("renamed.yaml", Encoding.UTF8.GetBytes(Good))], after).Policies);
    }

    [Fact]
    public void SameKindAndNameTwice_RefusesTheSecondAndNamesBoth()
    {
        var model = Texts.Read(Good, Good);
        Assert.Single(model.Namespaces);
        var problem = Assert.Single(model.Problems);
        Assert.Equal("b.yaml", problem.File);
        Assert.Contains("a.yaml:1", problem.Reason, StringComparison.Ordinal);
        Assert.Contains("b.yaml:1", problem.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void SecondEndpointWithAnAddress_IsRefusedWhoeverComesFirstInTheFolder()
    {
        var before = Texts.Read("# nothing", Texts.Endpoint("b", "10.0.0.1"));
        var after = Texts.Read(before, Texts.Endpoint("a", "10.0.0.1"), Texts.Endpoint("b", "10.0.0.1"));
        Assert.Equal("b", Assert.Single(after.Endpoints).Key.Name);
        Assert.Contains("10.0.0.1", after.Reasons(), StringComparison.Ordinal);
    }

    [Fact]
    public void EndpointThatMovesOntoATakenAddress_KeepsItsOld()
    {
        var before = Texts.Read(Texts.Endpoint("a", "10.0.0.1"), Texts.Endpoint("b", "10.0.0.2"));
        var after = Texts.Read(before, Texts.Endpoint("a", "10.0.0.1"), Texts.Endpoint("b", "10.0.0.1"));
        Assert.Equal(["10.0.0.1", "10.0.0.2"], after.Endpoints.Select(endpoint => endpoint.Addresses[0].ToString()));
        Assert.Single(after.Problems);
    }

    [Theory]
    [InlineData("ips: []", "names no address")]
    [InlineData("ips: [10.0.0.1, 10.0.0.2]", "second IPv4")]
    [InlineData("ips: ['010.0.0.1']", "no IPv4 or IPv6")]
    [InlineData("ips: ['::ffff:10.0.0.1']", "no IPv4 or IPv6")]
    [InlineData("netns: x", "has no ips")]
    [InlineData("ips: [10.0.0.1]\n  id: 65536", "within 1 to 65535")]
    [InlineData("ips: [10.0.0.1]\n  interface: ../../etc", "is no name")]
    public void Endpoint_ThatIsWrong_IsRefused(string spec, string reason)
    {
        var model = Texts.Read("apiVersion: postern.io/v1\nkind: Endpoint\nmetadata: {name: a}\nspec:\n  " + spec);
        Assert.Empty(model.Endpoints);
        Assert.Contains(reason, model.Reasons(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolice\nmetadata: {name: a}", "did you mean 'CiliumNetworkPolicy'")]
    [InlineData("apiVersion: v2\nkind: Secret\nmetadata: {name: a}", "expected v1")]
    [InlineData("kind: Secret\nmetadata: {name: a}", "has no apiVersion")]
    [InlineData("apiVersion: v1\nkind: Secret\nmetadata: {name: a/b}", "is no name")]
    [InlineData("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {x: '%'}", "is no base64")]
    [InlineData("- 1", "expected a map")]
    [InlineData("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: }", "has no value")]
    public void Document_ThatIsWrong_IsRefused(string text, string reason) => Assert.Contains(reason, Texts.Read(text).Reasons(), StringComparison.Ordinal);

    [Fact]
    public void Folder_IsReadByName_AndOneThatIsAbsentKeepsEverything()
    {
        var folder = Directory.CreateTempSubdirectory("postern-model");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "b.yml"), Good);
            File.WriteAllText(Path.Combine(folder.FullName, "a.json"), """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"json"}}""");
            File.WriteAllText(Path.Combine(folder.FullName, "README.md"), "no YAML");
            var model = NodeFolder.Load(folder.FullName, null);
            Assert.Empty(model.Problems);
            Assert.Equal(["json", "one"], model.Namespaces.Select(space => space.Key.Name));
            var gone = NodeFolder.Load(Path.Combine(folder.FullName, "absent"), model);
            Assert.Single(gone.Problems);
            Assert.Equal(2, gone.Namespaces.Count);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void SecretValue_StandsInNoProblem()
    {
        var model = Texts.Read("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {x: hunter2!}\nstringData: {y: 12345678}\n");
        Assert.Equal(2, model.Problems.Count);
        Assert.DoesNotContain("hunter2", model.Reasons(), StringComparison.Ordinal);
        Assert.DoesNotContain("12345678", model.Reasons(), StringComparison.Ordinal);
    }
}

using System;
using System.IO;
using System.Linq;
using Postern.Agent.Compile;
using Postern.Agent.Identities;

namespace Postern.Tests.Agent.Identities;

public sealed class IdentityAllocatorTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("postern-ids");

    private string State => Path.Combine(folder.FullName, "state.json");

    [Fact]
    public void Restart_KeepsEveryNumber()
    {
        var texts = Texts.Pods.Append(Texts.ForWeb("ingress: [{fromCIDR: [192.168.0.0/16, 'fd00::/8']}]")).ToArray();
        var first = new IdentityAllocator();
        var before = new NodeCompiler(first).Compile(Texts.Read(texts));
        first.Save(State);
        var second = IdentityAllocator.Load(State, out var warning);
        Assert.Null(warning);
        // Someone whose name sorts first must not push the others along.
        var after = new NodeCompiler(second).Compile(Texts.Read([Texts.Endpoint("aaa", "10.0.0.9", "a: a"), .. texts]));
        foreach (var endpoint in before.Endpoints)
        {
            var same = after.Endpoints.Single(one => one.Name == endpoint.Name);
            Assert.Equal((endpoint.Id, endpoint.Identity), (same.Id, same.Identity));
        }
        Assert.Equal(before.Identities.Where(one => one.Id > 1 << 24).Select(one => (one.Id, one.Labels[0])), after.Identities.Where(one => one.Id > 1 << 24).Select(one => (one.Id, one.Labels[0])));
    }

    [Fact]
    public void ReleasedNumber_IsNotGivenToAnother()
    {
        var allocator = new IdentityAllocator();
        var compiler = new NodeCompiler(allocator);
        var old = compiler.Compile(Texts.Read(Texts.Endpoint("a", "10.0.0.1", "x: a"))).Endpoints[0];
        var fresh = compiler.Compile(Texts.Read(Texts.Endpoint("b", "10.0.0.2", "x: b"))).Endpoints[0];
        Assert.NotEqual((old.Id, old.Identity), (fresh.Id, fresh.Identity));
        var back = compiler.Compile(Texts.Read(Texts.Endpoint("a", "10.0.0.1", "x: a"))).Endpoints[0];
        Assert.Equal((old.Id, old.Identity), (back.Id, back.Identity));
    }

    [Fact]
    public void SameLabels_ShareAnIdentity_FromNumber256()
    {
        var node = Texts.Compile(Texts.Endpoint("a", "10.0.0.1", "x: a"), Texts.Endpoint("b", "10.0.0.2", "x: a"), Texts.Endpoint("c", "10.0.0.3", "x: c"));
        Assert.Equal([256u, 256u, 257u], node.Endpoints.Select(endpoint => endpoint.Identity));
        Assert.Equal(["k8s:io.kubernetes.pod.namespace=default", "k8s:x=a"], node.Endpoints[0].Labels);
    }

    [Fact]
    public void WantedEndpointId_IsGiven_AndWhoHadItMoves()
    {
        var compiler = new NodeCompiler(new IdentityAllocator());
        Assert.Equal(1, compiler.Compile(Texts.Read(Texts.Endpoint("a", "10.0.0.1"))).Endpoints[0].Id);
        var node = compiler.Compile(Texts.Read(Texts.Endpoint("a", "10.0.0.1"), Texts.Endpoint("b", "10.0.0.2") .Replace("spec: {", "spec: {id: 1, ", StringComparison.Ordinal)));
        Assert.Equal(1, node.Of("b").Id);
        Assert.NotEqual(1, node.Of("a").Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"Version\":1,\"Identities\":{\"Next\":1,\"Known\":[]},\"Cidrs\":{},\"Endpoints\":{}}")]
    [InlineData("{\"Version\":1,\"Identities\":{\"Next\":300,\"Known\":[{\"Key\":\"a\",\"Number\":256},{\"Key\":\"b\",\"Number\":256}]},\"Cidrs\":{\"Next\":16777217,\"Known\":[]},\"Endpoints\":{\"Next\":1,\"Known\":[]}}")]
    [InlineData("{\"Version\":1,\"Identities\":{\"Next\":300,\"Known\":[null]},\"Cidrs\":{\"Next\":16777217,\"Known\":[]},\"Endpoints\":{\"Next\":1,\"Known\":[]}}")]
    public void DamagedState_StartsAnewWithAWarning(string text)
    {
        File.WriteAllText(State, text);
        var allocator = IdentityAllocator.Load(State, out var warning);
        Assert.Contains("anew", warning, StringComparison.Ordinal);
        Assert.Equal(256u, new NodeCompiler(allocator).Compile(Texts.Read(Texts.Endpoint("a", "10.0.0.1"))).Endpoints[0].Identity);
    }

    [Fact]
    public void StateLargerThanAllowed_StartsAnewAndSaysSo()
    {
        using (var file = File.Create(State))
        {
            file.SetLength((64 << 20) + 1);
        }

        var allocator = IdentityAllocator.Load(State, out var warning);

        Assert.Contains("larger", warning, StringComparison.Ordinal);
        Assert.False(allocator.IsRestored);
    }

    [Fact]
    public void AbsentState_IsAFirstStart()
    {
        IdentityAllocator.Load(State, out var warning);
        Assert.Null(warning);
    }

    [Fact]
    public void MoreEndpointsThanNumbers_ReuseTheLongestUnused()
    {
        var pool = new NumberPool(1, 3);
        Assert.Equal([1u, 2u, 3u], new[] { "a", "b", "c" }.Select(key => pool.Take(key)!.Value));
        Assert.Null(pool.Take("d"));
        pool.BeginRound();
        pool.Take("b");
        pool.Take("c");
        Assert.Equal(1u, pool.Take("d"));
        Assert.Null(pool.Take("e"));
    }

    public void Dispose() => folder.Delete(recursive: true);
}

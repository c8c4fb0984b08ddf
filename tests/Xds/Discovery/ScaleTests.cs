using System;
using System.Diagnostics;
using System.Linq;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Postern.Xds.Discovery;
using Postern.Xds.Discovery.Protocol;
using Xunit.Abstractions;

namespace Postern.Tests.Xds.Discovery;

/// <summary>10,000 policies in one response, one of them new.</summary>
public sealed class ScaleTests(ITestOutputHelper output)
{
    private const int Count = 10_000;

    private static DiscoveryResponse Response(int version)
    {
        var response = Texts.Sotw(ResourceType.NetworkPolicy, $"{version}", $"{version}");
        response.Resources.AddRange(Enumerable.Range(0, Count).Select(i => Texts.Any(ResourceType.NetworkPolicy, $"{i}={new string('x', 500)}{(i == 5000 ? version : 0)}")));
        return DiscoveryResponse.Parser.ParseFrom(response.ToByteString());
    }

    [Fact]
    public void Sotw_OneOfTenThousandChanged_DecodesOne()
    {
        var texts = new Texts();
        var held = new HeldResources();
        var decoder = new ResponseDecoder(ResourceType.NetworkPolicy, texts);
        var best = TimeSpan.MaxValue;
        for (var version = 1; version <= 20; version++)
        {
            var response = Response(version);
            var before = texts.Decoded;
            var start = Stopwatch.GetTimestamp();
            var decoded = decoder.Decode(SotwResponses.Read(response, ResourceType.NetworkPolicy, ""), held);
            held.Accept(decoded, DateTimeOffset.UnixEpoch);
            var time = Stopwatch.GetElapsedTime(start);
            best = time < best ? time : best;
            Assert.Equal(version == 1 ? Count : 1, texts.Decoded - before);
        }
        output.WriteLine($"on the worker, best of 20: {best.TotalMilliseconds:F2} ms");
        Assert.Equal(Count, held.Count);
    }

    [Fact]
    public void ScaleDown_LeavesNothingBehind()
    {
        var held = new HeldResources();
        var decoder = new ResponseDecoder(ResourceType.NetworkPolicy, new Texts());
        var reference = Fill(held, decoder);
        held.Accept(decoder.Decode(SotwResponses.Read(Texts.Sotw(ResourceType.NetworkPolicy, "2", "2", "1=a"), ResourceType.NetworkPolicy, "1"), held), DateTimeOffset.UnixEpoch);
        GC.Collect();
        Assert.False(reference.TryGetTarget(out _));
        Assert.Equal(1, held.Count);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference<DiscoveredResource> Fill(HeldResources held, ResponseDecoder decoder)
    {
        held.Accept(decoder.Decode(SotwResponses.Read(Response(1), ResourceType.NetworkPolicy, ""), held), DateTimeOffset.UnixEpoch);
        return new WeakReference<DiscoveredResource>(held.Find("77")!.Resource);
    }
}

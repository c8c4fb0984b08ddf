using System;
using System.IO;
using System.Linq;
using Postern.Tests.Netns.Foreign;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Http;

/// <summary>nghttp and h2load in front, nghttpd behind.</summary>
[Collection(nameof(ForeignHttp))]
public sealed class NghttpTests(HttpRig rig)
{
    private const string Needs = "nghttp2-client nghttp2-server";

    [ForeignTheory(Needs)]
    [InlineData("http")]
    [InlineData("https")]
    public void Response_HasItsTrailer(string scheme)
    {
        Serve("trailer" + scheme, 10_000);

        var seen = rig.Run("nghttp", "-nv", "--no-verify-peer", $"{scheme}://{ProxyRig.Server}:{HttpRig.NghttpPort}/open/trailer{scheme}");

        Assert.Contains(":status: 200", seen, StringComparison.Ordinal);
        Assert.Contains("x-sum: 42", seen, StringComparison.Ordinal);
        Assert.Equal($"HTTP/2 {scheme}", HttpRig.Line(rig.WaitForResponse("/open/trailer" + scheme), "http.protocol", "http.scheme"));
    }

    [ForeignFact(Needs)]
    public void HeaderOverSeveralContinuations_IsPassedOn()
    {
        Serve("continued", 10);

        // A frame holds 16 384 bytes; a backslash takes 19 bits in the code of HPACK, so nghttp sends it as it is.
        var seen = rig.Run("nghttp", "-nv", "-H", "x-long: " + new string('\\', 20_000), $"http://{ProxyRig.Server}:{HttpRig.NghttpPort}/open/continued");

        Assert.Contains("send HEADERS frame <length=20", seen, StringComparison.Ordinal); // with what follows in CONTINUATION: nghttp2 tells of them as one
        Assert.Contains(":status: 200", seen, StringComparison.Ordinal);
    }

    [ForeignFact(Needs)]
    public void HeaderBeyondTheLimit_Gets431()
    {
        Serve("after", 10);

        var seen = rig.Run("nghttp", "-nv", "-H", "x-long: " + new string('a', 62_000), $"http://{ProxyRig.Server}:{HttpRig.NghttpPort}/open/after");

        Assert.Contains(":status: 431", seen, StringComparison.Ordinal);
    }

    [ForeignTheory(Needs)]
    [InlineData("http", "/open/load", "2xx")]
    [InlineData("https", "/open/load", "2xx")]
    [InlineData("http", "/secret", "4xx")]
    public void ThousandsOfStreams_AllGetTheirAnswers(string scheme, string path, string status)
    {
        Serve("load", 2000);

        var seen = rig.Run("h2load", "-n", "4000", "-c", "4", "-m", "50", $"{scheme}://{ProxyRig.Server}:{HttpRig.NghttpPort}{path}");

        Assert.Contains("4000 done", seen, StringComparison.Ordinal);
        Assert.Contains($"4000 {status}", seen, StringComparison.Ordinal);
        Assert.Contains("0 errored, 0 timeout", seen, StringComparison.Ordinal);
    }

    [ForeignFact(Needs)]
    public void LargeBodiesOnManyStreamsAtOnce_Arrive()
    {
        const int Size = 1 << 20;
        Serve("large", Size);

        var seen = rig.Run("h2load", "-n", "32", "-c", "2", "-m", "16", $"http://{ProxyRig.Server}:{HttpRig.NghttpPort}/open/large");

        Assert.Contains("32 2xx", seen, StringComparison.Ordinal);
        var data = seen.Split('\n').Single(l => l.StartsWith("traffic:", StringComparison.Ordinal));
        Assert.Contains($"({32 * Size}) data", data, StringComparison.Ordinal);
    }

    private void Serve(string name, int size)
    {
        _ = rig.Client; // the folder is there
        File.WriteAllBytes(Path.Combine(rig.Www, name), new byte[size]);
        _ = rig.Nghttpd;
    }
}

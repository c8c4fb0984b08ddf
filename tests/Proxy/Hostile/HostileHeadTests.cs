using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Postern.Tests.Proxy.Dialogues;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Hostile;

/// <summary>Plays the lists of hostile heads through the real engine: refused, recorded, and no upstream is touched.</summary>
public sealed class HostileHeadTests(HttpEngineFixture fixture) : IClassFixture<HttpEngineFixture>
{
    private const string Good = "HEADERS stream=3 flags=END_STREAM|END_HEADERS :method=HEAD :scheme=http :authority=a :path=/good";

    public static TheoryData<string, string> Http1Heads() => Rows("http1-heads.tsv");

    public static TheoryData<string, string> Http2Heads() => Rows("http2-heads.tsv");

    [Theory]
    [MemberData(nameof(Http2Heads))]
    public async Task Http2Head_IsResetAndNothingGoesUpstream(string name, string fields)
    {
        foreach (var upstream in (ClusterHttpProtocol[])[ClusterHttpProtocol.Http1, ClusterHttpProtocol.Http2])
        {
            using var talk = new Conversation(fixture, new HttpTestOptions { UpstreamProtocol = upstream });
            var client = new FrameEnd(isServer: false);
            talk.ClientSends(client.Encode("hello"));
            talk.ClientSends(client.Encode($"HEADERS stream=1 flags=END_STREAM|END_HEADERS {fields}"));
            await talk.Until(() => client.TryMeet(talk.Client, ["RST_STREAM", "stream=1", "code=PROTOCOL_ERROR"]), $"{name}: a reset");
            Assert.Equal(0, talk.Host.Connects);
            await talk.Until(() => talk.Records.Seen.Count == 1, $"{name}: a record");
            var record = talk.Records.Seen[0];
            Assert.Equal(("Denied", "no"), (record.Type.ToString(), record.Fields["http"]));
            Assert.StartsWith("http2_", record.Fields["reason"], StringComparison.Ordinal);

            talk.ClientSends(client.Encode(Good));
            var server = new FrameEnd(isServer: true);
            await talk.Until(() => upstream == ClusterHttpProtocol.Http1 ? talk.Upstream.Text == "HEAD /good HTTP/1.1\r\nhost: a\r\n\r\n" : server.TryMeet(talk.Upstream, ["HEADERS", "stream=1", ":path=/good"]), $"{name}: the next stream");
        }
    }

    [Theory]
    [MemberData(nameof(Http1Heads))]
    public async Task Http1Head_Gets400AndNothingGoesUpstream(string name, string text)
    {
        foreach (var maxRead in (int[])[int.MaxValue, 1])
        {
            using var talk = new Conversation(fixture, new HttpTestOptions { MaxRead = maxRead });
            talk.ClientSends(Bytes(text));
            await talk.Until(() => talk.Client.Ended, $"{name}: the end");
            Assert.StartsWith("HTTP/1.1 400 ", talk.Client.Text, StringComparison.Ordinal);
            Assert.Equal(0, talk.Host.Connects);
            await talk.Until(() => talk.Records.Seen.Count == 1, $"{name}: a record");
            var record = talk.Records.Seen[0];
            Assert.Equal(("Denied", "no"), (record.Type.ToString(), record.Fields["http"]));
            Assert.StartsWith("http1_", record.Fields["reason"], StringComparison.Ordinal);
        }
    }

    private static TheoryData<string, string> Rows(string file)
    {
        var data = new TheoryData<string, string>();
        foreach (var row in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Hostile", file)).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t')))
        {
            data.Add(row[0], row[1]);
        }
        return data;
    }

    private static byte[] Bytes(string text)
    {
        var bytes = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                bytes.Append(text[i]);
                continue;
            }
            i++;
            bytes.Append(text[i] switch { 'r' => '\r', 'n' => '\n', 't' => '\t', '0' => '\0', '\\' => '\\', 'x' => (char)Convert.ToByte(text.Substring(i + 1, 2), 16), _ => throw new FormatException(text) });
            i += text[i] == 'x' ? 2 : 0;
        }
        return Encoding.Latin1.GetBytes(bytes.ToString());
    }
}

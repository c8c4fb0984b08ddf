using System;
using System.Text;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Tests.Xds;

public class TextReaderTests
{
    private static string Refused(string text, string name, ConfigTextLimits? limits = null) =>
        Assert.Throws<XdsConfigException>(() => BootstrapLoader.Load(Encoding.UTF8.GetBytes(text), name, limits)).Message;

    [Theory]
    [InlineData("{\n \"node\": {\"é\": 1, \"id\": 5}}", "b.json:2:11: node.é: unknown field 'é' of envoy.config.core.v3.Node; remove it; docs/config.md lists what is honoured")]
    [InlineData("{\n \"node\": {\"é\": 1, \"id\": 5}}", "b.yaml:2:11: node.é: unknown field 'é' of envoy.config.core.v3.Node; remove it; docs/config.md lists what is honoured")]
    [InlineData("{\"node\": {\"id\": 5}}", "b.json:1:11: node.id: expected a string, found a number; put it in quotes")]
    [InlineData("{\"node\": {\"id\": \"a\", \"id\": \"b\"}}", "b.json:1:22: node.id: duplicate key; keep one of them")]
    [InlineData("{\"node\": {\"id\": \"a\", \"\\u0069d\": \"b\"}}", "b.json:1:22: node.id: duplicate key; keep one of them")]
    [InlineData("{\"node\": {\"id\": null}}", "b.json:1:11: node.id: has no value; remove the field or give it one")]
    [InlineData("node:", "b.yaml:1:1: node: has no value; remove the field, or write {} or [] for an empty one")]
    [InlineData("node: []", "b.yaml:1:1: node: expected a map (envoy.config.core.v3.Node), found a list")]
    [InlineData("static_resources: {listeners: {}}", "b.yaml:1:20: static_resources.listeners: expected a list, found a map")]
    [InlineData("static_resources:\n  listeners:\n  -\n", "b.yaml:3:4: static_resources.listeners[0]: an empty list item; remove it or give it a value")]
    [InlineData("", "b.yaml: the file is empty")]
    [InlineData("# nothing\n", "b.yaml: the file is empty")]
    [InlineData("{}\n---\n{}", "b.yaml:2:1: a second document; keep one document in a file")]
    [InlineData("node: {id: yes, id2: 1}", "b.yaml:1:17: node.id2: unknown field 'id2' of envoy.config.core.v3.Node; did you mean 'id'?")]
    [InlineData("node: {id: \"a\\nb\", \"x\\ny\": 1}", "b.yaml:1:20: node.x?y: unknown field 'x?y' of envoy.config.core.v3.Node; remove it; docs/config.md lists what is honoured")]
    [InlineData("? [a]\n: 1", "b.yaml:1:3: a key must be a plain name")]
    [InlineData("node: {id: *x}", "b.yaml:1:12: node.id: anchors and aliases are not read; write the value out")]
    public void BadText_IsRefusedWithItsPlace(string text, string expected) =>
        Assert.Equal(expected, Refused(text, expected[..6]));

    [Theory]
    [InlineData("{\"node\": {}} x")]
    [InlineData("{\"node\": {},}")]
    [InlineData("{\"node\": {} // c\n}")]
    [InlineData("{\"a\": \"\\ud800\"}")]
    [InlineData("{")]
    [InlineData("")]
    public void BadJson_IsRefused(string text) => Assert.Matches(@"\Ab\.json:\d+:\d+: [^\n]+\z", Refused(text, "b.json"));

    [Fact]
    public void BytesThatAreNotUtf8_AreRefused()
    {
        foreach (var name in (string[])["b.json", "b.yaml"])
        {
            Assert.Throws<XdsConfigException>(() => BootstrapLoader.Load("{\"node\": {\"id\": \"\xff\"}}"u8.ToArray().AsSpan()[..^5], name));
            Assert.Throws<XdsConfigException>(() => BootstrapLoader.Load([(byte)'"', 0xFF, (byte)'"'], name));
        }
    }

    [Fact]
    public void ByteOrderMark_IsSkipped()
    {
        const string Text = "\uFEFF{\"dynamic_resources\": {\"lds_config\": {\"path\": \"x\"}}}";
        Assert.Equal(new FileSourceConfig("x"), BootstrapLoader.Load(Encoding.UTF8.GetBytes(Text), "b.json").LdsSource);
        Assert.Equal(new FileSourceConfig("x"), BootstrapLoader.Load(Encoding.UTF8.GetBytes(Text), "b.yaml").LdsSource);
        Assert.Equal(new FileSourceConfig("x"), BootstrapLoader.Load(Encoding.UTF8.GetBytes(Text), "b").LdsSource);
    }

    [Theory]
    [InlineData("b.json")]
    [InlineData("b.yaml")]
    public void Bounds_AreKept(string name)
    {
        Assert.Contains("nested deeper than 64 levels", Refused(new string('[', 65) + new string(']', 65), name), StringComparison.Ordinal);
        Assert.DoesNotContain("nested deeper", Refused(new string('[', 64) + new string(']', 64), name), StringComparison.Ordinal);
        Assert.Contains("larger than 10 bytes", Refused("{\"node\": {}}", name, new ConfigTextLimits(MaxBytes: 10)), StringComparison.Ordinal);
        Assert.Contains("more than 5 values", Refused("[1,2,3,4,5]", name, new ConfigTextLimits(MaxValues: 5)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("010")]
    [InlineData("0x10")]
    [InlineData("+1")]
    [InlineData("1.")]
    [InlineData("1e400")]
    [InlineData("99999999999999999999999999999999999")]
    public void NumbersThatReadersDisagreeOn_AreRefused(string number) =>
        Assert.Contains(
            "tcp_backlog_size: expected a whole number",
            Refused($"static_resources: {{listeners: [{{tcp_backlog_size: {number}}}]}}", "b.yaml"),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("0s", 0)]
    [InlineData("1.5s", 15_000_000)]
    [InlineData("0.000000001s", 1)]
    [InlineData("4233599s", 42_335_990_000_000)]
    public void Duration_IsRead(string text, long ticks)
    {
        var message = ProtoJson.Read<Envoy.Config.Listener.V3.Listener>(Node("listener_filters_timeout", text), ConfigPath.Empty);
        Assert.Equal(TimeSpan.FromTicks(ticks), Postern.Xds.Resources.Durations.ToTimeSpan(message.ListenerFiltersTimeout, TimeSpan.MaxValue, ConfigPath.Empty));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("s")]
    [InlineData("1.s")]
    [InlineData(".5s")]
    [InlineData("1.0000000001s")]
    [InlineData("1e3s")]
    [InlineData("+1s")]
    [InlineData(" 1s")]
    [InlineData("--1s")]
    [InlineData("999999999999999s")]
    public void BadDuration_IsRefused(string text) =>
        Assert.Contains("expected a duration", Assert.Throws<XdsConfigException>(
            () => ProtoJson.Read<Envoy.Config.Listener.V3.Listener>(Node("listener_filters_timeout", text), ConfigPath.Empty)).Message, StringComparison.Ordinal);

    private static ConfigNode Node(string name, string text)
    {
        var map = new ConfigNode(ConfigNodeKind.Map, "", 1, 1);
        map.Members.Add(new ConfigMember(name, 1, 1, new ConfigNode(ConfigNodeKind.String, text, 1, 1)));
        return map;
    }
}

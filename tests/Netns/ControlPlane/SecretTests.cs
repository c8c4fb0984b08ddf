using System;
using System.IO;
using System.Linq;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Proxy;
using Postern.Xds.Discovery;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>A header whose value only the control plane and its clients know.</summary>
public sealed class SecretTests
{
    private const string Name = "cilium-secrets/ns-token";
    private const string Old = "old-Xq7vB2kJ";
    private const string Rotated = "new-Zt9wC4mL";

    private const string Rule = $$"""
        {"name":"token","remote_policies":[1001],"http_rules":{"http_rules":[{"headers":[{"name":":path","string_match":{"safe_regex":{"regex":"/public.*"} } }],
         "header_matches":[{"name":"x-token","value_sds_secret":"{{Name}}","mismatch_action":"FAIL_ON_MISMATCH"}]}]} }
        """;

    [ControlPlaneTheory]
    [InlineData("apart")]
    [InlineData("ads-delta")]
    public void HeaderMatchOfASecret_PassesWhenItComesRotatesAndIsNeverShown(string form)
    {
        using var rig = ControlPlaneRig.Of(form);
        rig.Node.AddOrigin();
        var server = rig.StartServer();
        var proxy = rig.StartProxy("--log-level", "trace");
        rig.PublishWorld(server);
        server.PublishAndWaitForAck(ResourceType.NetworkPolicy, Resources.Policy(ConfigText.ServerAccepts(ConfigText.Port(80, Rule))));
        rig.WaitLive();
        using var open = rig.Node.Connect();
        Assert.StartsWith("403 ", Ask(open, Old), StringComparison.Ordinal);
        Assert.StartsWith("403 ", Ask(open, ""), StringComparison.Ordinal);

        server.PublishAndWaitForAck(ResourceType.Secret, Resources.Secret(Name, Old));
        Assert.StartsWith("200 ", Ask(open, Old), StringComparison.Ordinal);
        Assert.StartsWith("403 ", Ask(open, "wrong"), StringComparison.Ordinal);
        Assert.StartsWith("403 ", Ask(open, Old, "/private"), StringComparison.Ordinal); // the rule's other matchers fail first

        server.PublishAndWaitForAck(ResourceType.Secret, Resources.Secret(Name, Rotated));
        Assert.StartsWith("403 ", Ask(open, "stale"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", Ask(open, Rotated), StringComparison.Ordinal);

        rig.Node.WaitForRecord(record => record.Text("entry_type") == "Response");
        foreach (var page in (string[])["/config_dump?include_eds", "/xds", "/xds?format=json", "/certs", "/stats", "/stats/prometheus", "/clusters", "/listeners", "/server_info"])
        {
            Hidden(page, rig.Admin(page));
        }
        Assert.Contains(Name, rig.Admin("/config_dump"), StringComparison.Ordinal);
        Hidden("log", string.Join('\n', proxy.Log) + proxy.Output);
        Hidden("records", string.Join('\n', rig.Node.ReadRecords().Select(record => record.ToString())));
        foreach (var file in Directory.GetFiles(rig.Node.File("state")))
        {
            // The proxy may be writing it, and may have renamed it by now.
            if (TryRead(file) is { } bytes)
            {
                Hidden(file, System.Text.Encoding.Latin1.GetString(bytes));
            }
        }
    }

    private static byte[]? TryRead(string file)
    {
        byte[]? bytes = null;
        Wait.Until(
            () =>
            {
                try
                {
                    bytes = File.ReadAllBytes(file);
                    return true;
                }
                catch (FileNotFoundException)
                {
                    return true;
                }
                catch (IOException)
                {
                    return false; // its writer holds it
                }
            },
            () => file + " cannot be read");
        return bytes;
    }

    private static string Ask(HttpClientSocket client, string token, string path = "/public")
    {
        client.Send($"GET {path} HTTP/1.1\r\nHost: origin\r\nX-Token: {token}\r\n\r\n");
        return client.ReadAnswer();
    }

    private static void Hidden(string where, string text)
    {
        foreach (var secret in (string[])[Old, Rotated, Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(Old)), Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(Rotated))])
        {
            Assert.False(text.Contains(secret, StringComparison.Ordinal), $"{where} shows the secret {secret}");
        }
    }
}

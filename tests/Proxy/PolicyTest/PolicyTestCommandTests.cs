using System;
using System.IO;
using System.Linq;
using Postern.Proxy.PolicyTest;

namespace Postern.Tests.Proxy.PolicyTest;

public sealed class PolicyTestCommandTests : IDisposable
{
    private const string Policy = """[{"endpoint_ips":["10.0.0.1"],"endpoint_id":7,"ingress_per_port_policies":[{"port":80,"rules":[{"name":"r1","remote_policies":[5],"http_rules":{"http_rules":[{"headers":[{"name":":path","exact_match":"/a"}]}]}}]}]}]""";

    private readonly string file = Path.GetTempFileName();

    public void Dispose() => File.Delete(file);

    [SharedVectorsFact]
    public void SharedVectors_AllPass()
    {
        var shared = SharedVectorsFactAttribute.Find()!;
        var (code, output, error) = Run(shared);
        var bad = output.Split('\n').Where(line => line.Contains("\"failed\"", StringComparison.Ordinal)).Take(10);
        Assert.True(code == 0, error + string.Join('\n', bad));
        // 74 of the kinds without a connection, 16 http_l7lb, 12 TLS, 11 websocket (three are denied by a handshake), 6 bpf_metadata.
        Assert.Matches("^119 passed, 0 failed, [0-9]+ skipped$", output.TrimEnd().Split('\n')[^1]);
    }

    [Fact]
    public void NoExpectation_PrintsVerdictWithReason()
    {
        var (code, output, _) = RunText($$"""[{"name":"try","kind":"policy","policy":{{Policy}},"requests":[{"direction":"ingress","local_ip":"10.0.0.1","remote_identity":5,"port":80,"path":"/b"}]}]""");
        Assert.Equal(0, code);
        var line = output.Split('\n')[1];
        Assert.Contains("\"network\":\"ALLOW\",\"http\":\"DENY\",\"verdict\":\"deny\",\"expected\":null,\"ok\":null", line, StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"no_http_rule_matched\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongExpectation_FailsWithExitCodeOne()
    {
        var (code, output, _) = RunText($$"""[{"name":"x","kind":"policy","policy":{{Policy}},"update_expect":"accept","requests":[{"direction":"ingress","local_ip":"10.0.0.1","remote_identity":6,"port":80,"path":"/a","expect":"allow"}]}]""");
        Assert.Equal(1, code);
        Assert.Contains("\"ok\":false", output, StringComparison.Ordinal);
        Assert.EndsWith("0 passed, 1 failed, 0 skipped", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownPolicyField_RejectsTheUpdateAndNamesTheField()
    {
        var (_, output, _) = RunText("""[{"name":"x","kind":"policy","policy":[{"endpoint_ips":["10.0.0.1"],"endpoint_id":7,"ingres":[]}],"requests":[]}]""");
        Assert.Contains("\"update\":\"reject\"", output, StringComparison.Ordinal);
        Assert.Contains("ingres", output, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingRequestField_FailsTheCase()
    {
        var (code, output, _) = RunText($$"""[{"name":"x","kind":"policy","policy":{{Policy}},"requests":[{"direction":"ingress","local_ip":"10.0.0.1","port":80}]}]""");
        Assert.Equal(1, code);
        Assert.Contains("requests[0]: 'remote_identity' is missing", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"kind":"sni_pattern","pattern":"*.x.com","requests":[{"sni":"a.x.com","expect":"allow"},{"sni":"x.com","expect":"no match"}]}""", 0)]
    [InlineData("""{"kind":"sni_pattern","pattern":"*.x.com","matches":["a.x.com"],"non_matches":["a.b.x.com"]}""", 0)]
    [InlineData("""{"kind":"sni_pattern","pattern":"**.x.com","requests":[{"sni":"x.com","expect":true}]}""", 1)]
    [InlineData("""{"kind":"sni_pattern","name":"nothing to do"}""", 1)]
    [InlineData("""{"kind":"sni_pattern","pattern":"a..b","matches":["a"]}""", 1)]
    [InlineData("""{"kind":"sni_pattern_invalid","patterns":["a..b","a**","***"]}""", 0)]
    [InlineData("""{"kind":"sni_pattern_invalid","pattern":"a..b","reject_error":"SniPattern: Unsupported match pattern a..b","reject_error_match":"exact"}""", 0)]
    [InlineData("""{"kind":"sni_pattern_invalid","pattern":"a.b"}""", 1)]
    public void SniPatternCases_AreJudged(string text, int code) => Assert.Equal(code, RunText($"[{text}]").Code);

    [Fact]
    public void HostMapLookup_WrongIdentity_Fails()
    {
        var (code, output, _) = RunText("""[{"kind":"nphds_host_map","host_map":[{"policy":9,"host_addresses":["10.0.0.0/8"]}],"lookups":[{"ip":"10.1.1.1","expect_identity":8}]}]""");
        Assert.Equal(1, code);
        Assert.Contains("\"identity\":9,\"expected\":8,\"ok\":false", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("context", 0)]
    [InlineData("raw", 1)]
    public void TlsCase_ComparesTheContextSearch(string expected, int code)
    {
        var policy = """[{"endpoint_ips":["10.0.0.1"],"endpoint_id":7,"ingress_per_port_policies":[{"port":443,"rules":[{"remote_policies":[5],"downstream_tls_context":{"tls_sds_secret":"cert"}}]}]}]""";
        var (exit, output, _) = RunText($$"""[{"kind":"tls_tcp","policy":{{policy}},"requests":[{"direction":"ingress","local_ip":"10.0.0.1","remote_identity":5,"port":443,"expect":"allow","expect_downstream_tls":"{{expected}}","expect_upstream_tls":"raw"}]}]""");
        Assert.Equal(code, exit);
        Assert.Contains("\"downstream_tls\":\"context\",\"upstream_tls\":\"raw\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public void WebSocketCaseDeniedByItsHandshake_IsLeftOpenAndCounted()
    {
        var (code, output, _) = RunText($$"""[{"kind":"websocket","policy":{{Policy}},"requests":[{"direction":"ingress","local_ip":"10.0.0.1","remote_identity":5,"port":80,"expect":"deny"}]}]""");
        Assert.Equal(0, code);
        Assert.Contains("\"ok\":null,\"open\":\"policy allows it", output, StringComparison.Ordinal);
        Assert.Equal("0 passed, 0 failed, 1 skipped", output.TrimEnd().Split('\n')[^1]);
    }

    [Theory]
    [InlineData("\"is_l7lb\":true,\"use_original_source_address\":true", "\"mark\":\"0x00070900\",\"source_identity\":111,\"policy_name\":\"10.0.0.1\",\"source_address\":\"10.0.0.1\"", 0)]
    [InlineData("\"is_l7lb\":true,\"use_original_source_address\":true", "\"mark\":\"0x00080900\"", 1)]
    [InlineData("\"is_l7lb\":true,\"ipv4_source_address\":\"10.9.9.9\",\"enforce_policy_on_l7lb\":true", "\"metadata\":true,\"mark\":\"0x00080b00\",\"source_identity\":8,\"ingress_policy_name\":\"10.9.9.9\",\"ingress_source_identity\":111,\"source_address\":\"10.9.9.9\"", 0)]
    [InlineData("\"is_l7lb\":true,\"ipv6_source_address\":\"fd00::9\"", "\"metadata\":false", 0)]
    [InlineData("\"is_l7lb\":true,\"is_ingress\":true", "\"metadata\":false", 1)]
    public void BpfMetadataCase_ComparesWhatTheFilterMakesOfTheConnection(string filter, string expected, int code)
    {
        var (exit, output, _) = RunText($$$"""[{"kind":"bpf_metadata","context":{"bpf_metadata":{{{{filter}}}},"connection":{"remote_address":"10.0.0.1:4000","original_destination":"10.0.0.200:80"},"host_map":[{"policy":111,"host_addresses":["10.0.0.1"]},{"policy":8,"host_addresses":["10.9.9.9"]}]},"policy":{{{Policy}}},"expect_metadata":{{{{expected}}}}}]""");
        Assert.True(exit == code, output);
    }

    [Fact]
    public void KindOfALiveConnection_IsSkipped()
    {
        var (code, output, _) = RunText("""[{"kind":"kafka"}]""");
        Assert.Equal(0, code);
        Assert.Equal("0 passed, 0 failed, 1 skipped", output.TrimEnd());
    }

    [Fact]
    public void BrokenJson_ExitsTwoWithFileAndLine()
    {
        var (code, _, error) = RunText("[\n{\"kind\":\n}]");
        Assert.Equal(2, code);
        Assert.StartsWith($"{file}:3:", error, StringComparison.Ordinal);
    }

    [Fact]
    public void AbsentFile_ExitsTwo() => Assert.Equal(2, Run(file + ".absent").Code);

    private (int Code, string Output, string Error) RunText(string text)
    {
        File.WriteAllText(file, text);
        return Run(file);
    }

    private static (int Code, string Output, string Error) Run(string path)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = PolicyTestCommand.Run(path, output, error);
        return (code, output.ToString(), error.ToString());
    }
}

using Postern.Tests.Netns.Foreign;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Http;

/// <summary>Python's grpcio on both ends (grpc_client.py, grpc_server.py), the proxy between.</summary>
[Collection(nameof(ForeignHttp))]
public sealed class GrpcTests(HttpRig rig)
{
    private const string Needs = "python3-grpcio";

    [ForeignTheory(Needs)]
    [InlineData("unary", @"(b'hello', 'a b', 't', b'\x00\xff\x80', 'OK')")]
    [InlineData("empty", "b''")]
    [InlineData("large", "(True, 8388608)")]
    [InlineData("server_stream", "(500, b'499')")]
    [InlineData("client_stream", "b'500000'")]
    [InlineData("bidi", "(50, b'echo 49')")]
    [InlineData("early", "b'enough'")]
    [InlineData("many", "True")]
    [InlineData("deadline", "DEADLINE_EXCEEDED Deadline Exceeded")]
    [InlineData("fail", "FAILED_PRECONDITION not ready: größer")]
    public void Call_IsAsWithoutAProxy(string call, string outcome) => Assert.Equal(outcome, Ask(call));

    [ForeignTheory(Needs)]
    [InlineData("unary", @"(b'hello', 'a b', 't', b'\x00\xff\x80', 'OK')")]
    [InlineData("bidi", "(50, b'echo 49')")]
    [InlineData("denied", "PERMISSION_DENIED Access denied")]
    public void CallOverTls_IsAsInTheClear(string call, string outcome)
    {
        _ = rig.Grpc;
        Assert.Equal(outcome, rig.RunPython("grpc_client.py", $"{ProxyRig.Server}:{HttpRig.GrpcPort}", call, rig.Ca));

        var record = rig.WaitForRecord(r => r.Text("entry_type") == "Response" && r.Text("sni") == HttpRig.Name && r.Text("http.path").StartsWith("/test.", System.StringComparison.Ordinal));
        Assert.Equal("HTTP/2 https", HttpRig.Line(record, "http.protocol", "http.scheme"));
    }

    [ForeignTheory(Needs)]
    [InlineData("denied", "/test.Vault/Open")]
    [InlineData("denied_stream", "/test.Vault/Talk")]
    public void DeniedCall_GetsPermissionDeniedAndTheServerSeesNothing(string call, string path)
    {
        Assert.Equal("PERMISSION_DENIED Access denied", Ask(call));

        Assert.Equal("denied no_http_rule_matched 200 7", HttpRig.Line(rig.WaitForResponse(path), "verdict", "reason", "http.status", ":grpc-status"));
        Assert.DoesNotContain("call " + path, rig.Grpc.Lines);
    }

    [ForeignFact(Needs)]
    public void RecordsOfACall_HaveItsMethodAndStatus()
    {
        Ask("fail");

        Assert.Equal("forwarded 1001 HTTP/2 POST 200 9", HttpRig.Line(rig.WaitForResponse("/test.Door/Fail"), "verdict", "source_security_id", "http.protocol", "http.method", "http.status", ":grpc-status"));
    }

    [ForeignFact(Needs)]
    public void ClientCancels_TheServersCallEnds()
    {
        Assert.Equal("(b'first', 'CANCELLED')", Ask("cancel"));

        rig.Grpc.WaitForLine("ended");
    }

    private string Ask(string call)
    {
        _ = rig.Grpc;
        return rig.RunPython("grpc_client.py", $"{ProxyRig.Server}:{HttpRig.GrpcPort}", call);
    }
}

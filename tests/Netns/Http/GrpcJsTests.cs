using Postern.Tests.Netns.Foreign;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Http;

/// <summary>npm's @grpc/grpc-js in front (grpc_client.js), Python's grpcio behind.</summary>
[Collection(nameof(ForeignHttp))]
public sealed class GrpcJsTests(HttpRig rig)
{
    private const string Needs = "nodejs grpc-js python3-grpcio";

    [ForeignTheory(Needs)]
    [InlineData("unary", "hello a b t OK")]
    [InlineData("bidi", "50 echo 49 OK")]
    public void Call_IsAsWithoutAProxy(string call, string outcome) => Assert.Equal(outcome, Ask(call));

    [ForeignFact(Needs)]
    public void DeniedCall_GetsPermissionDeniedAndTheServerSeesNothing()
    {
        Assert.Equal("PERMISSION_DENIED Access denied", Ask("denied"));

        Assert.Equal("denied no_http_rule_matched 200 7", HttpRig.Line(rig.WaitForResponse("/test.Vault/Js"), "verdict", "reason", "http.status", ":grpc-status"));
        Assert.DoesNotContain("call /test.Vault/Js", rig.Grpc.Lines);
    }

    private string Ask(string call)
    {
        _ = rig.Grpc;
        return rig.Run("env", "NODE_PATH=" + Programs.NodeModules, "node", Programs.Script("grpc_client.js"), $"{ProxyRig.Server}:{HttpRig.GrpcPort}", call);
    }
}

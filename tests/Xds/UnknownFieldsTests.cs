using System;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Tests.Xds;

public class UnknownFieldsTests
{
    private static readonly ConfigPath At = ConfigPath.Empty.Field("resources").Item(0);

    private static IMessage Unpack(byte[] bytes, string type = "cilium.NetworkPolicy") =>
        TypedConfig.Unpack(new Any { TypeUrl = "type.googleapis.com/" + type, Value = ByteString.CopyFrom(bytes) }, At);

    private static byte[] Policy(byte[] rule)
    {
        var port = new Cilium.PortNetworkPolicy { Port = 80, Rules = { Cilium.PortNetworkPolicyRule.Parser.ParseFrom(rule) } };
        return new Cilium.NetworkPolicy { EndpointId = 1, IngressPerPortPolicies = { port } }.ToByteArray();
    }

    [Fact]
    public void KnownFields_Pass()
    {
        var rule = new Cilium.PortNetworkPolicyRule
        {
            Deny = false,
            RemotePolicies = { 1, 2 },
            L7Rules = new Cilium.L7NetworkPolicyRules { L7AllowRules = { new Cilium.L7NetworkPolicyRule { Rule = { ["a"] = "b" } } } },
        };
        var policy = Assert.IsType<Cilium.NetworkPolicy>(Unpack(Policy(rule.ToByteArray())));
        Assert.Equal(rule, policy.IngressPerPortPolicies[0].Rules[0]);
    }

    [Fact]
    public void UnpackedNumbers_Pass()
    {
        // remote_policies = 7 as two single varints.
        var policy = (Cilium.NetworkPolicy)Unpack(Policy([0x38, 1, 0x38, 2]));
        Assert.Equal([1u, 2u], policy.IngressPerPortPolicies[0].Rules[0].RemotePolicies);
    }

    [Fact]
    public void FieldOfALaterVersion_RefusesTheWhole() =>
        Assert.Equal(
            "resources[0].ingress_per_port_policies.rules: unknown field number 11 (wire type Varint) of cilium.PortNetworkPolicyRule; the control plane speaks a version that this proxy does not know",
            Assert.Throws<XdsConfigException>(() => Unpack(Policy([0x58, 1]))).Message);

    [Fact]
    public void ListOfIdentitiesInPlaceOfPassPrecedence_RefusesTheWhole() =>
        Assert.Contains(
            "unknown field number 1 (wire type LengthDelimited) of cilium.PortNetworkPolicyRule",
            Assert.Throws<XdsConfigException>(() => Unpack(Policy([0x0A, 2, 1, 2]))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void RandomBytes_AreReadOrRefused()
    {
        var random = new Random(11);
        var seed = Policy([0x38, 1, 0x38, 2]);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = (byte[])seed.Clone();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            try
            {
                Unpack(bytes[..random.Next(bytes.Length + 1)]);
            }
            catch (XdsConfigException)
            {
            }
        }
    }
}

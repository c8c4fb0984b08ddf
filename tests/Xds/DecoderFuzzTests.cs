using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Postern.Xds;
using Postern.Xds.Discovery;
using static Postern.Tests.Xds.WireResources;

namespace Postern.Tests.Xds;

/// <summary>Whatever a control plane sends: a configuration, or an <see cref="XdsConfigException"/> of one line.</summary>
public class DecoderFuzzTests
{
    private static readonly (ResourceType Type, byte[] Bytes)[] Seeds =
    [
        (ResourceType.Listener, HttpListener().ToByteArray()),
        (ResourceType.Listener, TcpListener().ToByteArray()),
        (ResourceType.NetworkPolicy, PodPolicy().ToByteArray()),
        (ResourceType.NetworkPolicyHosts, new Cilium.NetworkPolicyHosts { Policy = 7, HostAddresses = { "10.0.0.0/8", "::1" } }.ToByteArray()),
        (ResourceType.Cluster, new Envoy.Config.Cluster.V3.Cluster { Name = "c", Type = Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.Eds, EdsClusterConfig = new() { EdsConfig = new() { Ads = new() } } }.ToByteArray()),
        (ResourceType.Endpoint, new Envoy.Config.Endpoint.V3.ClusterLoadAssignment { ClusterName = "c", Endpoints = { new Envoy.Config.Endpoint.V3.LocalityLbEndpoints { LbEndpoints = { new Envoy.Config.Endpoint.V3.LbEndpoint { Endpoint = new() { Address = Socket("10.0.0.1", 80) } } } } } }.ToByteArray()),
        (ResourceType.Route, Manager(HttpListener()).RouteConfig.ToByteArray()),
        (ResourceType.Secret, new Envoy.Extensions.TransportSockets.Tls.V3.Secret { Name = "s", GenericSecret = new() { Secret = new() { InlineString = "hush" } } }.ToByteArray()),
        (ResourceType.Secret, new Envoy.Extensions.TransportSockets.Tls.V3.Secret
        {
            Name = "v",
            ValidationContext = new()
            {
                TrustedCa = new() { InlineString = "hush" },
                VerifyCertificateHash = { new string('a', 64) },
                MatchTypedSubjectAltNames = { new Envoy.Extensions.TransportSockets.Tls.V3.SubjectAltNameMatcher { Matcher = new() { Exact = "a" } } },
                MaxVerifyDepth = 1,
            },
        }.ToByteArray()),
    ];

    [Fact]
    public void RandomBytes_AreDecodedOrRefused() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(3000),
        Prop.ForAll(
            Gen.Choose(0, 255).ArrayOf().ToArbitrary(),
            numbers => ResourceType.All.All(type => Attempt(type, Array.ConvertAll(numbers, n => (byte)n)) is { } || true)));

    [Fact]
    public void MutatedResource_IsDecodedOrRefused() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(6000),
        Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var (type, bytes) = Seeds[random.Next(Seeds.Length)];
            Attempt(type, Mutate(bytes, random));
            return true;
        }));

    /// <summary>The decoder's own finding of unknown fields against that of the generated parser: what survives a round trip and is no declared field.</summary>
    [Fact]
    public void MutatedPolicyThatIsAccepted_HoldsOnlyDeclaredFields() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(6000),
        Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var (type, bytes) = Seeds[random.Next(2) == 0 ? 2 : 3];
            var mutant = Mutate(bytes, random);
            if (Attempt(type, mutant) is null)
            {
                return true;
            }
            IMessage message = type == ResourceType.NetworkPolicy ? Cilium.NetworkPolicy.Parser.ParseFrom(mutant) : Cilium.NetworkPolicyHosts.Parser.ParseFrom(mutant);
            var clean = message.Descriptor.Parser.WithDiscardUnknownFields(true).ParseFrom(mutant);
            // The old list of identities alone is unknown to the parser and still read.
            return message.Equals(clean) || Strip(message).Equals(clean);
        }));

    [Fact]
    public void FieldAddedAnywhereInAPolicy_IsRefused() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(1000),
        Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var policy = PodPolicy();
            var messages = new List<IMessage>();
            Collect(policy, messages);
            var target = messages[random.Next(messages.Count)];
            int number;
            do
            {
                number = random.Next(1, 5000);
            }
            while (target.Descriptor.FindFieldByNumber(number) is not null);
            AddField(target, number, random);
            return Attempt(ResourceType.NetworkPolicy, policy.ToByteArray()) is null;
        }));

    // Null when refused.
    private static DecodedResource? Attempt(ResourceType type, byte[] bytes)
    {
        try
        {
            return Decode(type, bytes);
        }
        catch (XdsConfigException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            Assert.DoesNotContain("hush", e.Message, StringComparison.Ordinal);
            Assert.True(e.Message.Length < 5000, $"a message of {e.Message.Length} characters");
            return null;
        }
    }

    private static byte[] Mutate(byte[] seed, Random random)
    {
        var bytes = seed.ToList();
        for (var n = random.Next(1, 4); n > 0 && bytes.Count > 0; n--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 20), bytes.Count - at);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }
        return [.. bytes];
    }

    private static void Collect(IMessage message, List<IMessage> found)
    {
        found.Add(message);
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (field.FieldType != FieldType.Message || field.IsMap || field.Accessor.GetValue(message) is not { } value)
            {
                continue;
            }
            foreach (var item in value is System.Collections.IEnumerable list ? list.Cast<IMessage>() : [(IMessage)value])
            {
                Collect(item, found);
            }
        }
    }

    private static void AddField(IMessage target, int number, Random random)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            var wire = (WireFormat.WireType)random.Next(3);
            // The old list of identities is the one field that is known and not declared.
            wire = number == 1 ? WireFormat.WireType.Fixed64 : wire;
            output.WriteTag(number, wire);
            switch (wire)
            {
                case WireFormat.WireType.Varint:
                    output.WriteUInt32((uint)random.Next());
                    break;
                case WireFormat.WireType.Fixed64:
                    output.WriteFixed64((ulong)random.NextInt64());
                    break;
                default:
                    output.WriteBytes(ByteString.CopyFrom(new byte[random.Next(5)]));
                    break;
            }
        }
        target.MergeFrom(stream.ToArray());
    }

    private static IMessage Strip(IMessage message)
    {
        var all = new List<IMessage>();
        Collect(message, all);
        foreach (var policy in all.OfType<Cilium.PortNetworkPolicy>())
        {
            for (var i = 0; i < policy.Rules.Count; i++)
            {
                using var input = new CodedInputStream(policy.Rules[i].ToByteArray());
                uint tag;
                while ((tag = input.ReadTag()) != 0)
                {
                    if (WireFormat.GetTagFieldNumber(tag) == 1 && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
                    {
                        policy.Rules[i] = Cilium.PortNetworkPolicyRule.Parser.WithDiscardUnknownFields(true).ParseFrom(policy.Rules[i].ToByteArray());
                        break;
                    }
                    input.SkipLastField();
                }
            }
        }
        return message;
    }
}

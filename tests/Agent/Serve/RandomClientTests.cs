using Envoy.Service.Discovery.V3;
using FsCheck;
using FsCheck.Fluent;
using Google.Rpc;
using Postern.Agent.Serve;
using Postern.Xds.Discovery;
using static Postern.Tests.Agent.Serve.World;

namespace Postern.Tests.Agent.Serve;

/// <summary>Clients that keep to no protocol: only their own stream may end, and nobody counts as having ACKed what was not sent.</summary>
public sealed class RandomClientTests
{
    private static readonly ResourceType Secrets = ResourceType.Secret;

    [Fact]
    public void AnyRequests_NeverAckMoreThanWasSent() =>
        Prop.ForAll(Gen.ArrayOf(Request).ToArbitrary(), requests => Holds(requests)).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static Gen<DiscoveryRequest> Request =>
        from version in Gen.Elements("", "0", "1", "2", "3", "9", "x")
        from nonce in Gen.Elements("", "0", "1", "2", "3", "9")
        from name in Gen.Elements("", "a", "b", "missing", "*")
        from refused in Gen.Elements(false, false, true)
        select Make(version, nonce, name, refused);

    private static DiscoveryRequest Make(string version, string nonce, string name, bool refused)
    {
        var request = First(version, name.Length == 0 ? [] : [name]);
        request.ResponseNonce = nonce;
        request.TypeUrl = Secrets.TypeUrl;
        request.ErrorDetail = refused ? new Status { Code = 13, Message = "no" } : null;
        return request;
    }

    private static bool Holds(DiscoveryRequest[] requests) => Holds(requests, Secrets) && Holds(requests, null);

    // On the state machines themselves: no streams, no tasks.
    private static bool Holds(DiscoveryRequest[] requests, ResourceType? only)
    {
        var world = new ServedWorld(new ResourceServerOptions());
        world.Publish(Secrets, Set(Secrets, "a", "b"));
        var state = world.Subscribe(Secrets, Postern.Agent.Serve.NodeId.Parse(Node()));
        SotwSubscription subscription = only is null ? new AggregatedSubscription(world, state) : new CiliumSubscription(world, state);
        for (var i = 0; i < requests.Length; i++)
        {
            try
            {
                subscription.Take(requests[i]);
            }
            catch (Postern.Grpc.RpcException e)
            {
                return e.StatusCode == Postern.Grpc.StatusCode.InvalidArgument;
            }
            var response = subscription.Next(world.Find(Secrets)!);
            var status = state.ToStatus();
            if (status.Acked > status.Sent || state.InForce > world.Find(Secrets)!.Version || (response is not null && !state.IsOutstanding))
            {
                return false;
            }
            world.Publish(Secrets, Set(Secrets, "a", $"b={i / 2}"));
        }
        return true;
    }
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Envoy.Config.Listener.V3;
using Google.Protobuf;
using Postern.Tests.Netns.Proxy;
using Postern.Xds.Discovery;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>Listeners that move, and listeners that only look changed.</summary>
public sealed class ListenerUpdateTests : IDisposable
{
    private const int First = 18080;
    private const int Second = 18081;

    private readonly ControlPlaneRig _rig = new(ControlPlaneRig.Apart);

    public void Dispose() => _rig.Dispose();

    [ControlPlaneFact]
    public void TwoListenersSwapPortsInOneUpdate_BothServe()
    {
        var (server, _) = Start();
        server.PublishAndWaitForAck(ResourceType.Listener, Resources.Plain("a", First, "one"), Resources.Plain("b", Second, "two"));
        Assert.StartsWith("200 one ", _rig.AskLoopback(First), StringComparison.Ordinal);

        server.PublishAndWaitForAck(ResourceType.Listener, Resources.Plain("a", Second, "one"), Resources.Plain("b", First, "two"));

        Assert.StartsWith("200 two ", _rig.AskLoopback(First), StringComparison.Ordinal);
        Assert.StartsWith("200 one ", _rig.AskLoopback(Second), StringComparison.Ordinal);
    }

    [ControlPlaneFact]
    public void ListenerGoesAndAnotherTakesItsPort_NobodyIsRefused()
    {
        var (server, _) = Start();
        server.PublishAndWaitForAck(ResourceType.Listener, Resources.Plain("a", First, "one"));

        server.PublishAndWaitForAck(ResourceType.Listener, Resources.Plain("b", First, "two"));
        Assert.StartsWith("200 two ", _rig.AskLoopback(First), StringComparison.Ordinal);

        server.PublishAndWaitForAck(ResourceType.Listener);
        Assert.Equal("refused", _rig.AskLoopback(First));
    }

    [ControlPlaneFact]
    public void ListenerChangesWhatItsSocketIsMadeWith_ItOpensAnewOnItsPort()
    {
        var (server, _) = Start();
        server.PublishAndWaitForAck(ResourceType.Listener, Resources.Plain("a", First, "one"));
        var (name, message) = Resources.Plain("a", First, "two");
        var listener = (Listener)message;
        listener.TcpBacklogSize = 77;

        server.PublishAndWaitForAck(ResourceType.Listener, (name, listener));

        Assert.StartsWith("200 two ", _rig.AskLoopback(First), StringComparison.Ordinal);
        Assert.Contains(" 77 ", _rig.Node.Net.Node.Run("ss", "-Hltn", $"sport = :{First}").OrThrow(), StringComparison.Ordinal);
    }

    [ControlPlaneFact]
    public void PortOfAStrangerInASwap_IsRefusedAndTheOldListenersServe()
    {
        var (server, _) = Start();
        using var stranger = new Origin(_rig.Node.Net.Node, 18082, "stranger ");
        server.PublishAndWaitForAck(ResourceType.Listener, Resources.Plain("a", First, "one"), Resources.Plain("b", Second, "two"));

        var error = server.PublishAndWaitForNack(ResourceType.Listener, Resources.Plain("a", Second, "one"), Resources.Plain("b", 18082, "two"));

        Assert.Contains("18082", error.GetProperty("message").GetString());
        Assert.StartsWith("200 one ", _rig.AskLoopback(First), StringComparison.Ordinal);
        Assert.StartsWith("200 two ", _rig.AskLoopback(Second), StringComparison.Ordinal);
    }

    [ControlPlaneFact]
    public void SameMeaningInOtherBytes_ChangesNothing()
    {
        var (server, proxy) = Start();
        server.PublishAndWaitForAck(ResourceType.Listener, Resources.Plain("a", First, "one"), Resources.Plain("b", Second, "two"));
        using var open = HttpClientSocket.Connect(_rig.Node.Net.Node, $"127.0.0.1:{First}");
        Assert.StartsWith("200 ", open.Ask("/"), StringComparison.Ordinal);
        var before = proxy.CountLog("listener ");

        for (var i = 0; i < 3; i++)
        {
            server.PublishAndWaitForAck(ResourceType.Listener, Shuffled(Resources.Plain("b", Second, "two")), Shuffled(Resources.Plain("a", First, "one")));
            server.PublishAndWaitForAck(ResourceType.Cluster, [.. Clusters().Reverse()]);
            Assert.StartsWith("200 ", open.Ask("/"), StringComparison.Ordinal);
        }

        Assert.Equal(before, proxy.CountLog("listener "));
    }

    private (ForeignControlPlane Server, PosternProcess Proxy) Start()
    {
        _rig.Node.AddOrigin(8081, "one ");
        _rig.Node.AddOrigin(8082, "two ");
        var server = _rig.StartServer();
        var proxy = _rig.StartProxy();
        server.PublishAndWaitForAck(ResourceType.Cluster, Clusters());
        server.WaitFor("an LDS request", e => ForeignControlPlane.IsRequest(e, ResourceType.Listener));
        return (server, proxy);
    }

    private static (string Name, IMessage Message)[] Clusters() =>
    [
        Resources.Cluster(ConfigText.Static("one", ProxyRig.Server, 8081)),
        Resources.Cluster(ConfigText.Static("two", ProxyRig.Server, 8082)),
    ];

    // The configuration of every filter with its fields in the reverse order: as good on the wire, and other bytes.
    private static (string Name, IMessage Message) Shuffled((string Name, IMessage Message) resource)
    {
        var listener = (Listener)resource.Message;
        foreach (var filter in listener.FilterChains.SelectMany(chain => chain.Filters))
        {
            var shuffled = Reversed(filter.TypedConfig.Value);
            Assert.NotEqual(filter.TypedConfig.Value, shuffled);
            filter.TypedConfig.Value = shuffled;
        }
        return resource;
    }

    private static ByteString Reversed(ByteString message)
    {
        var fields = new List<(uint Tag, byte[] Bytes)>();
        using var input = message.CreateCodedInput();
        var start = 0L;
        while (input.ReadTag() is var tag && tag != 0)
        {
            input.SkipLastField();
            fields.Add((tag, message.Span[(int)start..(int)input.Position].ToArray()));
            start = input.Position;
        }
        using var output = new MemoryStream();
        foreach (var (_, bytes) in fields.OrderByDescending(field => field.Tag))
        {
            output.Write(bytes);
        }
        return ByteString.CopyFrom(output.ToArray());
    }
}

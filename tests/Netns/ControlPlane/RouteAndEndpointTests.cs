using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;
using Postern.Tests.Netns.Proxy;
using Postern.Xds.Discovery;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>Route tables and endpoints that come after what refers to them, and change under load.</summary>
public sealed class RouteAndEndpointTests
{
    private const int Port = 18080;
    private const uint First = 8081;
    private const uint Second = 8082;

    public static TheoryData<string> Forms => ["apart", "apart-delta", "ads", "ads-delta"];

    [ControlPlaneTheory]
    [MemberData(nameof(Forms))]
    public void RouteTable_OpensItsListenerAndChangesTheNextRequest(string form)
    {
        using var rig = ControlPlaneRig.Of(form);
        rig.Node.AddOrigin((int)First);
        var server = rig.StartServer();
        rig.StartProxy();
        server.Publish(ResourceType.Cluster, Resources.Cluster(ConfigText.Static("web", ProxyRig.Server, (int)First)));
        server.Publish(ResourceType.Listener, Resources.Plain("web", Port, "", rig.Source));
        rig.WaitPage("/xds", "waits for RDS table");
        Assert.Equal("refused", rig.AskLoopback(Port));
        Assert.DoesNotContain("LIVE", rig.Admin("/ready"), StringComparison.Ordinal);

        server.PublishAndWaitForAck(ResourceType.Route, Resources.Routes(("/a", "web"), ("/b", "web")));
        rig.WaitLoopback(Port, "/a", "200 ");
        rig.WaitLive();
        using var open = HttpClientSocket.Connect(rig.Node.Net.Node, $"127.0.0.1:{Port}");
        Assert.StartsWith("200 ", open.Ask("/a"), StringComparison.Ordinal);
        Assert.StartsWith("404 ", open.Ask("/c"), StringComparison.Ordinal);

        server.PublishAndWaitForAck(ResourceType.Route, Resources.Routes(("/b", "web"), ("/c", "web")));

        Assert.StartsWith("404 ", open.Ask("/a"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", open.Ask("/b"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", open.Ask("/c"), StringComparison.Ordinal);
    }

    [ControlPlaneTheory]
    [MemberData(nameof(Forms))]
    public void Endpoints_WarmTheirClusterAndChangeUnderLoadWithoutAFailedRequest(string form)
    {
        using var rig = ControlPlaneRig.Of(form);
        rig.Node.AddOrigin((int)First, "one ");
        rig.Node.AddOrigin((int)Second, "two ");
        var server = rig.StartServer();
        rig.StartProxy();
        server.Publish(ResourceType.Cluster, Resources.Cluster(ConfigText.Eds("web", rig.Source)));
        rig.WaitPage("/xds", "waits for EDS svc");
        Assert.StartsWith("PRE_INITIALIZING", rig.Admin("/ready"), StringComparison.Ordinal);
        server.Publish(ResourceType.Listener, Resources.Plain("web", Port, "web"));
        server.PublishAndWaitForAck(ResourceType.Endpoint, Resources.Endpoints(First));
        rig.WaitLoopback(Port, "/", "200 one ");
        rig.WaitLive();
        Assert.DoesNotContain("waits for", rig.Admin("/xds"), StringComparison.Ordinal);

        var seen = WhileAsking(rig, more =>
        {
            for (var i = 0; i < 4; i++)
            {
                server.PublishAndWaitForAck(ResourceType.Endpoint, Resources.Endpoints(i % 2 == 0 ? [Second] : [First]));
                rig.WaitLoopback(Port, "/", i % 2 == 0 ? "200 two " : "200 one ");
                more(13);
            }
            server.PublishAndWaitForAck(ResourceType.Cluster, Resources.Cluster(ConfigText.Eds("web", rig.Source, connectTimeout: 3)));
            server.PublishAndWaitForAck(ResourceType.Endpoint, Resources.Endpoints(First, Second));
            rig.WaitLoopback(Port, "/", "200 two ");
        });
        Assert.All(seen, answer => Assert.StartsWith("200 ", answer, StringComparison.Ordinal));
        Assert.True(seen.Count > 50, $"{seen.Count} requests");
    }

    // One client that keeps its connection and one that never does. What is done meanwhile can wait for so many more answers.
    private static List<string> WhileAsking(ControlPlaneRig rig, Action<Action<int>> act)
    {
        var seen = new ConcurrentQueue<string>();
        var stop = new ManualResetEventSlim();
        using var open = HttpClientSocket.Connect(rig.Node.Net.Node, $"127.0.0.1:{Port}");
        Thread[] clients =
        [
            Start(() => open.TryAsk("/")),
            Start(() => rig.AskLoopback(Port)),
        ];
        act(count =>
        {
            var wanted = seen.Count + count;
            Patience.Until(() => seen.Count >= wanted, () => $"{seen.Count} answers, {wanted} were to come");
        });
        stop.Set();
        Assert.All(clients, client => Assert.True(client.Join(Patience.Limit)));
        return [.. seen];

        Thread Start(Func<string> ask)
        {
            var thread = new Thread(() =>
            {
                while (!stop.IsSet)
                {
                    seen.Enqueue(ask());
                }
            });
            thread.Start();
            return thread;
        }
    }
}

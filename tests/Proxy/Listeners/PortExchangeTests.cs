using System.Collections.Generic;
using System.Linq;
using System.Net;
using Postern.Proxy.Listeners;
using Postern.Tests.Proxy.Discovery;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Listeners;

/// <summary>Who must close so that others can open. "a:1>2" is a listener on port 1 that wants port 2.</summary>
public sealed class PortExchangeTests
{
    [Theory]
    [InlineData("a:1>2 b:2>1", "a b")] // a swap
    [InlineData("a:1>2 b:2>3 c:3>1", "a b c")]
    [InlineData("a:1>1", "a")] // in its own way: another backlog
    [InlineData("a:1>2 b:2>3", "")] // 3 belongs to a stranger: closing b would help nobody
    [InlineData("a:1>2 b:2>1 c:5>6", "a b")]
    [InlineData("new:0>1 a:1>2 b:2>1", "new a b")]
    [InlineData("new:0>1", "")]
    public void Blocked_OnlyThoseInACircleClose(string blocked, string expected)
    {
        var bound = new Dictionary<string, IReadOnlyList<IPEndPoint>>();
        var configs = new List<ListenerConfig>();
        foreach (var text in blocked.Split(' '))
        {
            var parts = text.Split(':', '>');
            configs.Add((ListenerConfig)Make.Tcp(parts[0], int.Parse(parts[2], null), "echo").Item2);
            bound[parts[0]] = parts[1] == "0" ? [] : [new IPEndPoint(IPAddress.Loopback, int.Parse(parts[1], null))];
        }

        Assert.Equal(expected, string.Join(' ', PortExchange.Find(configs, name => bound[name]).Select(config => config.Name)));
    }
}

using System;
using System.IO;
using Postern.Agent.Api;
using Postern.Agent.Cli;
using Postern.Agent.Supervise;

namespace Postern.Tests.Agent.Cli;

public sealed class TableTests
{
    [Fact]
    public void EndpointList_ColumnsAreAligned()
    {
        var endpoint = new EndpointView(
            7, "default/deathstar", 256, ["k8s:class=deathstar", "k8s:org=empire"], ["10.200.1.2", "fd00::2"], null, null, "Enabled", "Disabled", ["default/rule1"],
            [new RedirectView("ingress", "80", "http", null, 10001)]);

        var text = Print(output => EndpointCommand.Write([endpoint], output));

        Assert.Equal(
            """
            ENDPOINT   NAME                INGRESS   EGRESS     IDENTITY   LABELS                ADDRESSES    POLICIES        REDIRECTS
            7          default/deathstar   Enabled   Disabled   256        k8s:class=deathstar   10.200.1.2   default/rule1   ingress 80 -> http:10001
                                                                           k8s:org=empire        fd00::2

            """,
            text);
    }

    [Fact]
    public void Status_SaysWhatIsInTheWay()
    {
        var status = new StatusView
        {
            Folder = "/etc/p",
            ProxyLog = "/run/postern/proxy.log",
            Policy = new RevisionView(3, 2, "refused by the proxy", "LDS: address in use"),
            Counts = new CountsView(2, 9, 1, 1, 0),
            Proxy = new ProxyStatus { State = ProxyState.Down, Restarts = 4, LastExit = "failed with exit code 1 after 0.1 s", LastExitAt = DateTimeOffset.UnixEpoch, LastLines = ["cannot bind"] },
            Steering = new SteeringView { Mode = "ebpf", Reason = "the kernel can", Devices = ["eth0", "lxc1"], WhileProxyDown = "deny", Installed = true, Rules = ["to=10.0.0.1/32,port=80,proxy-port=10001"] },
            Problems = ["p.yaml:3:1: spec: unknown field"],
            Streams = [new StreamView("LDS", "host~127.0.0.1~no-id~localdomain", [], 5, 4, "address in use", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch)],
        };

        var text = Print(output => StatusCommand.Write(status, output));

        Assert.Equal(
            """
            Policy:     revision 3, enforced 2: refused by the proxy: LDS: address in use
            Folder:     /etc/p: 2 endpoints (1 ingress, 0 egress enforced), 9 identities, 1 policies
            Proxy:      DOWN, waits to be launched again, 4 restarts
            Last exit:  failed with exit code 1 after 0.1 s, at 1970-01-01T00:00:00Z
            Proxy log:  /run/postern/proxy.log
              | cannot bind
            Steering:   ebpf (the kernel can), 1 rules installed, while the proxy is down: deny
            Devices:    eth0 lxc1
              to=10.0.0.1/32,port=80,proxy-port=10001
            Problems:   1
              p.yaml:3:1: spec: unknown field
            Warnings:   none

            STREAM   SENT   ACKED   SINCE                  LAST NACK
            LDS      5      4       1970-01-01T00:00:00Z   1970-01-01T00:00:00Z address in use

            """,
            text);
    }

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("10s", 10_000)]
    [InlineData("1m", 60_000)]
    public void Time_IsReadWithItsUnit(string text, double milliseconds)
    {
        Assert.True(RunCommand.TryTime(text, out var time));
        Assert.Equal(milliseconds, time.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("-1s")]
    [InlineData("1h")]
    [InlineData("99ms")]
    [InlineData("11m")]
    public void TimeWithoutSense_IsRefused(string text) => Assert.False(RunCommand.TryTime(text, out _));

    private static string Print(Action<StringWriter> write)
    {
        using var output = new StringWriter { NewLine = "\n" };
        write(output);
        return output.ToString();
    }
}
